"""Encoders: vectors of single characters in, vectors that know their neighbours out.

Both take x float32 [batch, characters, width_in], mask float32 [batch, characters, 1], 1 for
characters and 0 for edges, where x is 0, and criterion integers [batch], the segmentation
standard; both return float32 [batch, characters, width].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.common.dropout import ByteDropout
from models.cwseg.bert import BertConfig, BertEncoder


class WindowLayer(nn.Linear):
    """A linear map over each character and its two neighbours.

    A convolution of width 3, written as a matrix product, which engines run in 8 bits.
    """

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__(3 * width_in, width_out)

    def forward(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (0, 0, 1, 1))
        return super().forward(torch.cat([padded[:, :-2], x, padded[:, 2:]], 2))


class WindowEncoder(nn.Module):
    """A stack of window layers, ReLU after each, with residual connections.

    An output depends on `layers` characters to each side and on nothing else: a text may be cut
    into pieces that overlap by as much, and nothing changes. Edges are 0 after every layer, so
    nothing passes them.
    """

    def __init__(
        self, width_in: int, width: int, layers: int, criteria: int, dropout: float
    ) -> None:
        super().__init__()
        self.criterion = nn.Embedding(criteria, width)
        nn.init.zeros_(self.criterion.weight)
        self.first = WindowLayer(width_in, width)
        self.rest = nn.ModuleList(WindowLayer(width, width) for _ in range(layers - 1))
        self.dropout = ByteDropout(dropout)

    def forward(self, x: Tensor, mask: Tensor, criterion: Tensor) -> Tensor:
        x = functional.relu(self.first(x) + self.criterion(criterion)[:, None])
        x = self.dropout(x) * mask
        for layer in self.rest:
            x = x + self.dropout(functional.relu(layer(x))) * mask
        return x


class TransformerEncoder(nn.Module):
    """A small BERT with sinusoidal positions, trained from scratch."""

    def __init__(
        self, width_in: int, width: int, layers: int, criteria: int, dropout: float
    ) -> None:
        super().__init__()
        self.criterion = nn.Embedding(criteria, width)
        nn.init.zeros_(self.criterion.weight)
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

    def forward(self, x: Tensor, mask: Tensor, criterion: Tensor) -> Tensor:
        x = self.project(x) + self.criterion(criterion)[:, None]
        return self.bert(x + sinusoids(x.shape[1], x.shape[2]), mask[:, :, 0])


def sinusoids(length: int, width: int) -> Tensor:
    """Positions as sines and cosines (Vaswani et al., 2017, section 3.5): [length, width]."""
    rates = torch.exp(torch.arange(0, width, 2) * (-9.210340371976184 / width))  # ln 10000
    angles = torch.arange(length)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)


ENCODERS = {"window": WindowEncoder, "transformer": TransformerEncoder}
