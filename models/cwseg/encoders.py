"""Encoders: vectors of single characters in, vectors that know their neighbours out.

Both take x float32 [batch, reach + characters + reach, width_in], where `reach` is how many
characters beyond the ends the encoder wants to see, and mask float32, the same without the last
axis, 1 for characters and 0 for edges; both return float32 [batch, characters, width].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.common.dropout import ByteDropout
from models.cwseg.bert import BertConfig, BertEncoder


class WindowLayer(nn.Linear):
    """A linear map over each character and `span` neighbours to each side; the first and the last
    `span` characters give nothing.

    A convolution, written as a matrix product, which engines run in 8 bits.
    """

    def __init__(self, width_in: int, width_out: int, span: int) -> None:
        super().__init__((2 * span + 1) * width_in, width_out)
        self.span = span

    def forward(self, x: Tensor) -> Tensor:
        # Ends counted from the back: an exported graph need not compute with lengths.
        ends = [*range(-2 * self.span, 0), None]
        return super().forward(torch.cat([x[:, i:end] for i, end in enumerate(ends)], 2))


class WindowEncoder(nn.Module):
    """A stack of window layers, ReLU after each, with residual connections.

    An output depends on `reach` characters to each side and on nothing else: a text may be cut
    into pieces that overlap by as much, and nothing changes. Edges are characters like others: a
    text has `reach` of them before and after it, always.
    """

    def __init__(self, width_in: int, width: int, layers: int, span: int, dropout: float) -> None:
        super().__init__()
        self.reach = layers * span
        self.first = WindowLayer(width_in, width, span)
        self.rest = nn.ModuleList(WindowLayer(width, width, span) for _ in range(layers - 1))
        self.dropout = ByteDropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.dropout(functional.relu(self.first(x)))
        for layer in self.rest:
            x = x[:, layer.span : -layer.span] + self.dropout(functional.relu(layer(x)))
        return x


class TransformerEncoder(nn.Module):
    """A small BERT with sinusoidal positions, trained from scratch."""

    def __init__(self, width_in: int, width: int, layers: int, span: int, dropout: float) -> None:
        super().__init__()
        self.reach = 0
        self.project = nn.Linear(width_in, width)
        self.bert = BertEncoder(
            BertConfig(
                hidden_size=width,
                num_hidden_layers=layers,
                num_attention_heads=max(1, width // 32),
                intermediate_size=4 * width,
                dropout=dropout,
            )
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.project(x)
        return self.bert(x + sinusoids(x.shape[1], x.shape[2]), mask)


def sinusoids(length: int, width: int) -> Tensor:
    """Positions as sines and cosines (Vaswani et al., 2017, section 3.5): [length, width]."""
    rates = torch.exp(torch.arange(0, width, 2) * (-9.210340371976184 / width))  # ln 10000
    angles = torch.arange(length)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)


ENCODERS = {"window": WindowEncoder, "transformer": TransformerEncoder}
