"""The text tower: CLIP's causal Transformer, pooled at the end mark."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.conaclip.config import TextConfig
from models.conaclip.transformer import Transformer

_MASKED = -1e4  # exp() of it is 0; infinities are trouble in 8 bits and bfloat16


class TextEncoder(nn.Module):
    """Texts as numbers to vectors.

    Nothing sees what stands behind it, and the vector is taken at the end mark: padding after
    that never changes a result.
    """

    def __init__(self, config: TextConfig, dimension: int) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocabulary, config.width)
        self.positions = nn.Parameter(torch.empty(config.length, config.width))
        self.transformer = Transformer(config.layers, config.width, config.heads, config.activation)
        self.norm = nn.LayerNorm(config.width)
        self.projection = nn.Linear(config.width, dimension, bias=False)
        mask = torch.full((config.length, config.length), _MASKED).triu(1)
        self.register_buffer("causal", mask, persistent=False)
        nn.init.normal_(self.tokens.weight, std=0.02)
        nn.init.normal_(self.positions, std=0.01)
        nn.init.normal_(self.projection.weight, std=config.width**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Integers [batch, n], 0 behind the end mark -> float32 [batch, dimension], not normalised."""
        length = tokens.shape[1]
        x = self.tokens(tokens) + self.positions[:length]
        x = self.transformer(x, self.causal[:length, :length])
        last = x[torch.arange(x.shape[0]), tokens.argmax(1)]  # the end mark is the largest number
        return self.projection(self.norm(last))
