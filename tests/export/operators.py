"""Modules with what the families are made of, for the tests of `export/`: untrained, small, as real
ones otherwise."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.common.export_spec import GraphSpec

VOCABULARY, WIDTH, HEADS = 700, 64, 4


class Recurrent(nn.Module):
    """Characters -> last states of two bidirectional layers -> vector."""

    def __init__(self, kind: type[nn.LSTM | nn.GRU], hidden: int = WIDTH) -> None:
        super().__init__()
        self.embedding = nn.Embedding(90, WIDTH)
        self.layers = kind(WIDTH, hidden, 2, batch_first=True, bidirectional=True)
        self.mlp = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, 48))

    def forward(self, characters: Tensor) -> Tensor:
        states = self.layers(self.embedding(characters))[1]
        last = states[0] if isinstance(states, tuple) else states
        return self.mlp(torch.cat([last[-2], last[-1]], 1))


class Bag(nn.Module):
    """Mean of the rows of a table, 0 being padding."""

    def __init__(self, rows: int = 900) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(rows, WIDTH))
        self.linear = nn.Linear(WIDTH, 48)

    def forward(self, ngrams: Tensor) -> Tensor:
        given = (ngrams > 0).float()[:, :, None]
        total = (F.embedding(ngrams, self.table) * given).sum(1)
        return self.linear(total / given.sum(1).clamp(min=1))


def heads(x: Tensor) -> Tensor:
    """[batch, n, width] -> [batch, heads, n, width / heads]."""
    return x.reshape(x.shape[0], x.shape[1], HEADS, -1).transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """[batch, heads, n, d] and [batch, heads, m, d] twice -> [batch, n, heads * d]."""
    scores = query @ key.transpose(2, 3) * query.shape[3] ** -0.5
    if mask is not None:
        scores = scores + mask
    mixed = (scores.softmax(3) @ value).transpose(1, 2)
    return mixed.reshape(mixed.shape[0], mixed.shape[1], -1)


class Block(nn.Module):
    """Self-attention and feed-forward, pre-norm."""

    def __init__(self, width: int = WIDTH, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), activation(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        query, key, value = map(heads, self.project(self.before(x)).chunk(3, 2))
        x = x + self.merge(attend(query, key, value, mask))
        return x + self.feed(self.between(x))


class Encoder(nn.Module):
    """Tokens, 0 being padding -> keys and values for the decoder's attention to the source."""

    def __init__(self, table: nn.Parameter, width: int = WIDTH) -> None:
        super().__init__()
        self.table, self.block, self.cross = table, Block(width), nn.Linear(width, 2 * width)

    def forward(self, source: Tensor) -> tuple[Tensor, Tensor]:
        mask = (source == 0).float()[:, None, None] * -1e4
        x = self.block(F.embedding(source, self.table), mask)
        key, value = self.cross(x).chunk(2, 2)
        return heads(key), heads(value)


class Step(nn.Module):
    """One token of the decoder with the keys and values of those before it; the table is tied."""

    def __init__(self, table: nn.Parameter, width: int = WIDTH) -> None:
        super().__init__()
        self.table = table
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.project, self.query = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.merge, self.merge_cross = nn.Linear(width, width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(
        self, token: Tensor, source: Tensor, cross_key: Tensor, cross_value: Tensor,
        past_key: Tensor, past_value: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        x = F.embedding(token, self.table)
        query, key, value = map(heads, self.project(self.norms[0](x)).chunk(3, 2))
        key, value = torch.cat([past_key, key], 2), torch.cat([past_value, value], 2)
        x = x + self.merge(attend(query, key, value))
        mask = (source == 0).float()[:, None, None] * -1e4
        crossed = attend(heads(self.query(self.norms[1](x))), cross_key, cross_value, mask)
        x = x + self.merge_cross(crossed)
        x = x + self.feed(self.norms[2](x))
        return F.linear(self.norms[3](x)[:, 0], self.table), key, value


class Image(nn.Module):
    """Bytes of pixels -> patches -> blocks -> vector; mean and deviation are in the first weights."""

    def __init__(self, size: int = 32, patch: int = 8, width: int = WIDTH, layers: int = 2) -> None:
        super().__init__()
        self.grid, self.patch = size // patch, patch
        self.embed = nn.Linear(patch * patch * 3, width)
        self.embed.weight.data /= 64
        self.positions = nn.Parameter(torch.randn(self.grid**2, width) / 8)
        self.blocks = nn.ModuleList(Block(width, nn.GELU) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 48)

    def forward(self, pixels: Tensor) -> Tensor:
        grid, patch = self.grid, self.patch
        patches = pixels.reshape(-1, grid, patch, grid, patch, 3).transpose(2, 3)
        x = self.embed(patches.reshape(-1, grid * grid, patch * patch * 3).float()) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


class Convolutional(nn.Module):
    """Bytes of pixels -> convolutions, some depthwise, with residual sums -> vector."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, 4)
        self.depthwise = nn.ModuleList(nn.Conv2d(width, width, 7, padding=3, groups=width) for _ in range(2))
        self.up = nn.ModuleList(nn.Conv2d(width, 3 * width, 1) for _ in range(2))
        self.down = nn.ModuleList(nn.Conv2d(3 * width, width, 1) for _ in range(2))
        self.wide, self.head = nn.Conv2d(width, 64, 3, 2, 1, bias=False), nn.Linear(64, 48)

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.stem(pixels.permute(0, 3, 1, 2).float() / 64 - 2).relu()
        for depthwise, up, down in zip(self.depthwise, self.up, self.down):
            x = x + down(up(depthwise(x)).relu())
        return self.head(self.wide(x).relu().mean((2, 3)))


def integers(rng: np.random.Generator, limit: int, *shape: int) -> np.ndarray:
    return rng.integers(1, limit, shape, dtype=np.int32)


def graph(module: nn.Module, outputs: list[str], axes: dict[str, dict[int, str]],
          calibration: list[dict[str, np.ndarray]], **rest: object) -> GraphSpec:  # fmt: skip
    """A spec whose example is two rows of the first calibration feed."""
    inputs = {name: torch.from_numpy(np.concatenate([x, x])) for name, x in calibration[0].items()}
    return GraphSpec(module.eval(), inputs, outputs, axes, calibration, **rest)


def vectors(module: nn.Module, name: str, limit: int, **rest: object) -> GraphSpec:
    """`name` int32 [batch, length] -> `vector`."""
    rng = np.random.default_rng(0)
    calibration = [{name: integers(rng, limit, 1, (6 + i) % 12 + 1)} for i in range(24)]
    axes = {name: {0: "batch", 1: "length"}, "vector": {0: "batch"}}
    return graph(module, ["vector"], axes, calibration, **rest)


def images(module: nn.Module, size: int = 32, **rest: object) -> GraphSpec:
    """`pixels` uint8 [batch, size, size, 3] -> `vector`; smooth pictures with some noise."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, size)
    calibration = []
    for _ in range(24):
        a, b, c = rng.uniform(-3, 3, (3, 1, 1, 3))
        picture = 128 + 90 * np.sin(a * ramp[:, None, None] + b * ramp[None, :, None] + c)
        noisy = np.clip(picture + rng.normal(0, 9, (size, size, 3)), 0, 255)
        calibration.append({"pixels": noisy[None].astype(np.uint8)})
    return graph(module, ["vector"], {"pixels": {0: "batch"}, "vector": {0: "batch"}}, calibration, **rest)


def translator(width: int = WIDTH, vocabulary: int = VOCABULARY) -> dict[str, GraphSpec]:
    """Graphs "encoder" and "step"; the calibration of the step is from running both modules."""
    torch.manual_seed(0)
    table = nn.Parameter(torch.randn(vocabulary, width) * width**-0.5)
    encoder, step = Encoder(table, width).eval(), Step(table, width).eval()
    rng = np.random.default_rng(0)
    sources, steps = [], []
    for i in range(12):
        source = integers(rng, vocabulary, 1, 3 + i % 5)
        sources.append({"source": source})
        with torch.no_grad():
            cross = encoder(torch.from_numpy(source))
            past = torch.zeros(2, 1, HEADS, 1, width // HEADS)
            for _ in range(3):
                feed = {
                    "token": integers(rng, vocabulary, 1, 1), "source": source,
                    "cross_key": cross[0].numpy(), "cross_value": cross[1].numpy(),
                    "past_key": past[0].numpy(), "past_value": past[1].numpy(),
                }  # fmt: skip
                steps.append(feed)
                past = step(*map(torch.from_numpy, feed.values()))[1:]
    heads_axes = {0: "batch", 2: "source"}
    encoder_axes = {"source": {0: "batch", 1: "source"}, "cross_key": heads_axes, "cross_value": heads_axes}
    step_axes = {"token": {0: "batch"}, **encoder_axes,
                 "past_key": {0: "batch", 2: "past"}, "past_value": {0: "batch", 2: "past"}}  # fmt: skip
    return {
        "encoder": graph(encoder, ["cross_key", "cross_value"], encoder_axes, sources),
        "step": graph(step, ["logits", "keys", "values"], step_axes, steps[1:]),
    }
