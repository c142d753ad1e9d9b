"""The encoders: characters or n-grams of a phrase to one vector.

No encoder takes lengths: a batch holds phrases of one length, in training as on the device, so
that nothing is padded, and cost follows the characters of the phrase.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.charemb.config import BagConfig, CharacterConfig
from models.common.dropout import ByteDropout

HEAD_WIDTH = 64
"""Of an attention head of the transformer."""
KERNEL = 5
"""Characters that one convolution sees."""


class CharacterEncoder(nn.Module):
    """Characters -> embeddings -> encoder -> MLP -> vector.

    Args:
        config: which encoder, and how large.
        characters: size of the character vocabulary; 0 is the unknown character.
        dimension: of the vectors.
    """

    def __init__(self, config: CharacterConfig, characters: int, dimension: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, config.embedding)
        self.encoder = _ENCODERS[config.encoder](config)
        self.mlp = nn.Sequential(
            ByteDropout(config.dropout),
            nn.Linear(self.encoder.width, config.hidden),
            nn.ReLU(),
            ByteDropout(config.dropout),
            nn.Linear(config.hidden, dimension),
        )

    def forward(self, characters: Tensor) -> Tensor:
        """int32 or int64 [batch, length], length at least 1 -> float32 [batch, dimension]."""
        return self.mlp(self.encoder(self.embedding(characters)))


class Recurrent(nn.Module):
    """Bidirectional LSTM or GRU; the last states of both directions, side by side."""

    def __init__(self, config: CharacterConfig) -> None:
        super().__init__()
        self.width = 2 * config.hidden
        kind = nn.LSTM if config.encoder == "lstm" else nn.GRU
        self.recurrent = kind(
            config.embedding,
            config.hidden,
            config.layers,
            batch_first=True,
            bidirectional=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, length, embedding] -> [batch, 2 * hidden]."""
        states = self.recurrent(x)[1]
        last = states[0] if isinstance(states, tuple) else states
        return torch.cat([last[-2], last[-1]], 1)


class Transformer(nn.Module):
    """Pre-norm transformer over characters with learned positions; the mean of its outputs."""

    def __init__(self, config: CharacterConfig) -> None:
        super().__init__()
        if config.embedding != config.hidden:
            raise ValueError("the transformer's embedding must be as wide as its layers")
        self.width = config.hidden
        self.positions = nn.Parameter(torch.randn(config.max_characters, config.hidden) * 0.02)
        self.layers = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, length, hidden] -> [batch, hidden]; length at most `max_characters`."""
        x = x + self.positions[: x.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.norm(x).mean(1)


class _Block(nn.Module):
    def __init__(self, config: CharacterConfig) -> None:
        super().__init__()
        width = config.hidden
        self.heads = width // HEAD_WIDTH
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = ByteDropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        heads = self.project(self.before(x)).reshape(batch, length, 3, self.heads, HEAD_WIDTH)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        weights = (query @ key.transpose(2, 3) * HEAD_WIDTH**-0.5).softmax(3)
        mixed = (weights @ value).transpose(1, 2).reshape(batch, length, width)
        x = x + self.dropout(self.merge(mixed))
        return x + self.dropout(self.down(self.up(self.between(x)).relu()))


class Convolution(nn.Module):
    """Convolutions over characters with residual sums; maximum and mean over the places."""

    def __init__(self, config: CharacterConfig) -> None:
        super().__init__()
        self.width = 2 * config.hidden
        widths = [config.embedding] + [config.hidden] * config.layers
        self.layers = nn.ModuleList(
            nn.Conv1d(a, b, KERNEL, padding=KERNEL // 2) for a, b in zip(widths, widths[1:])
        )

    def forward(self, x: Tensor) -> Tensor:
        """[batch, length, embedding] -> [batch, 2 * hidden]."""
        x = x.transpose(1, 2)
        for layer in self.layers:
            y = layer(x).relu()
            x = x + y if x.shape == y.shape else y
        return torch.cat([x.amax(2), x.mean(2)], 1)


_ENCODERS = {
    "lstm": Recurrent,
    "gru": Recurrent,
    "transformer": Transformer,
    "convolution": Convolution,
}


class BagEncoder(nn.Module):
    """Words and windows of letters, each summed and scaled to length one; then an MLP beside a
    linear path, which alone could already be a target (`models.charemb.initial`).

    Args:
        config: sizes.
        known: words with rows of their own; `ngrams` counts them from `ngram_buckets` + 1, and once
            more, as last words, after that (`edge_sdk.phrase_input.known_rows`).
        spelling: width of the table of windows.
        dimension: of the vectors.
    """

    def __init__(self, config: BagConfig, known: int, spelling: int, dimension: int) -> None:
        super().__init__()
        self.first, self.known = config.ngram_buckets, known
        self.windows = _table(config.ngram_buckets, spelling)
        self.words = _table(known, config.word_width)
        self.head = nn.Parameter(torch.tensor(0.6))
        width = spelling + config.word_width
        self.dropout = ByteDropout(config.dropout)
        self.up = nn.Linear(width, config.hidden)
        self.down = nn.Linear(config.hidden, dimension)
        self.linear = nn.Linear(width, dimension)

    def forward(self, ngrams: Tensor) -> Tensor:
        """int32 or int64 [batch, n], 0 is padding -> float32 [batch, dimension]."""
        word = ngrams - self.first
        last = word > self.known
        # Row 0 of both tables is zero, and training never touches it.
        windows = F.embedding(ngrams.masked_fill(word > 0, 0), self.windows).sum(1)
        rows = (word - last.to(word.dtype) * self.known).clamp(min=0)
        weights = torch.where(last, self.head, 1.0)
        words = (F.embedding(rows, self.words) * weights[:, :, None]).sum(1)
        return self._vector(windows, words)

    def bag(self, *parts: Tensor) -> Tensor:
        """The same without padding, as `models.charemb.data.Bags` gives it."""
        numbers, begins, rows, row_begins, last = parts
        windows = F.embedding_bag(numbers, self.windows, begins, mode="sum")
        weights = torch.where(last, self.head, 1.0)
        words = F.embedding_bag(rows, self.words, row_begins, mode="sum", per_sample_weights=weights)
        return self._vector(windows, words)

    def _vector(self, windows: Tensor, words: Tensor) -> Tensor:
        x = torch.cat([_unit(windows), _unit(words)], 1)
        return self.linear(x) + self.down(self.dropout(self.up(x).relu()))


def _table(rows: int, width: int) -> nn.Parameter:
    table = torch.randn(rows + 1, width) * 0.1
    table[0] = 0.0
    return nn.Parameter(table)


def _unit(rows: Tensor) -> Tensor:
    """Rows of length one; a row of zeros, where nothing is known, stays zero."""
    return rows / (rows.square().sum(1, keepdim=True) + 1e-6).sqrt()


def build(
    config: CharacterConfig | BagConfig, size: int, dimension: int, spelling: int = 64
) -> nn.Module:
    """The encoder of a configuration; `size` is the number of characters, or of known words."""
    if isinstance(config, BagConfig):
        return BagEncoder(config, size, spelling, dimension)
    return CharacterEncoder(config, size, dimension)


def megabytes(model: nn.Module) -> float:
    """Size of the weights in fp32, 10^6 bytes."""
    return sum(p.numel() for p in model.parameters()) * 4 / 1e6
