"""The Transformer of both towers: attention, then a feed-forward network, normalised before each."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


def quick_gelu(x: Tensor) -> Tensor:
    """The approximation of GELU that CLIP was trained with."""
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "quick_gelu": quick_gelu,
    "gelu": functional.gelu,
    "relu": functional.relu,
}
_EPSILON = 1e-5


class Layer(nn.Module):
    """One layer; plain products and a softmax, so that it exports to few operators."""

    def __init__(self, width: int, heads: int, activation: str) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} cannot be split into {heads} heads")
        self.heads = heads
        self.activation = ACTIVATIONS[activation]
        self.attention_norm = nn.LayerNorm(width, eps=_EPSILON)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.feed_forward_norm = nn.LayerNorm(width, eps=_EPSILON)
        self.feed_forward_in = nn.Linear(width, 4 * width)
        self.feed_forward_out = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """x [batch, n, width]; mask [n, n] is added to the attention scores."""
        x = x + self._attend(self.attention_norm(x), mask)
        hidden = self.activation(self.feed_forward_in(self.feed_forward_norm(x)))
        return x + self.feed_forward_out(hidden)

    def _attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        batch, length, width = x.shape
        query, key, value = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.query_key_value(x).split(width, 2)
        )
        scores = query @ key.transpose(2, 3) * (width // self.heads) ** -0.5
        if mask is not None:
            scores = scores + mask
        mixed = scores.softmax(3) @ value
        return self.attention_out(mixed.transpose(1, 2).reshape(batch, length, width))


class Transformer(nn.Module):
    """A stack of layers."""

    def __init__(self, layers: int, width: int, heads: int, activation: str) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(width, heads, activation) for _ in range(layers))
        for layer in self.layers:  # as CLIP: what is added to the stream shrinks with depth
            small = width**-0.5 * (2 * layers) ** -0.5
            nn.init.normal_(layer.query_key_value.weight, std=width**-0.5)
            nn.init.normal_(layer.attention_out.weight, std=small)
            nn.init.normal_(layer.feed_forward_in.weight, std=(2 * width) ** -0.5)
            nn.init.normal_(layer.feed_forward_out.weight, std=small)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x [batch, n, width]; mask as in `Layer`."""
        for layer in self.layers:
            x = layer(x, mask)
        return x
