"""The translator as four graphs, split so that a device computes nothing twice and no more than needed.

    embedding  ids -> vectors         once a query: source and the candidates of its draft
    encoder    vectors -> memory      once a query: all that decoder layers attend to in it
    step       vectors -> hidden      the next tokens, with cached keys and values
    output     hidden -> log_p        all tokens of a draft at once: the vocabulary matrix, which
                                      is most of the weights, is then read once, not once a token

docs/translation.md tells what the split is worth. All axes are as long as the data; nothing costs
by its maximum. Shapes: b rows, s source length, t tokens decided, d width, h heads, L decoder
layers, V vocabulary. Keys and values of a layer are one tensor, and those of all layers one input:
each array that crosses the engine's border costs about as much as a small operator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_sdk.query_tokenizer import BEGIN
from models.common.export_spec import GraphSpec
from models.query_translator.model import (
    HIDDEN_SCORE,
    CrossAttention,
    DecoderLayer,
    Translator,
)

Pairs = Sequence[tuple[Sequence[int], Sequence[int]]]
"""Source and target ids, each with END."""


class Embedding(nn.Module):
    """ids int32 [n] -> vectors float [n, d], times sqrt(d)."""

    def __init__(self, model: Translator) -> None:
        super().__init__()
        scale = math.sqrt(model.config.width) if model.config.scale_embedding else 1.0
        self.table = nn.Parameter(model.embedding.weight.detach() * scale)

    def forward(self, ids: Tensor) -> Tensor:
        """See the class."""
        return functional.embedding(ids, self.table)


class Encoder(nn.Module):
    """vectors [b, s, d], mask [b, 1, 1, s] (0, or HIDDEN_SCORE on padding) -> memory [b, 2 h L, s, d / h].

    `memory` holds keys, then values, of the first decoder layer, then those of the second, ...
    """

    def __init__(self, model: Translator) -> None:
        super().__init__()
        self.positions = model.positions
        self.layers, self.norm = model.encoder, model.encoder_norm
        self.heads = 2 * len(model.decoder) * model.config.heads
        self.keys_values = nn.Parameter(
            torch.cat([layer.keys_values.weight for layer in model.modules() if isinstance(layer, CrossAttention)])
        )

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See the class."""
        x = vectors + self.positions[: vectors.shape[1]]
        for layer in self.layers:
            x = layer(x, mask)
        both = functional.linear(self.norm(x), self.keys_values)
        return both.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Step(nn.Module):
    """The next tokens of each row: one, or several that are guessed, so that each may see those before it.

    vectors [b, n, d] of the last token decided and of guesses after it, past [b, 2 h L, t, d / h],
    future [n, t + n] (0, or HIDDEN_SCORE where a token must not see another), memory and mask as in
    `Encoder` -> hidden [b, n, d], present [b, 2 h L, t + n, d / h].
    """

    def __init__(self, model: Translator) -> None:
        super().__init__()
        self.positions = model.positions
        self.layers = nn.ModuleList(StepLayer(layer) for layer in model.decoder.children())
        self.norm = model.decoder_norm

    def forward(
        self, vectors: Tensor, past: Tensor, future: Tensor, memory: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See the class."""
        first = past.shape[2]
        x = vectors + self.positions[first : first + vectors.shape[1]]
        n = len(self.layers)
        presents = []
        for layer, *caches in zip(self.layers, past.chunk(n, 1), memory.chunk(n, 1)):
            x, present = layer(x, future, mask, *caches)
            presents.append(present)
        return self.norm(x), torch.cat(presents, 1) if n > 1 else presents[0]


class StepLayer(nn.Module):
    """A decoder layer with its cache; the scale of the scores is in the query's weights."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        assert isinstance(layer, DecoderLayer)
        self.layer = layer
        self.heads = layer.self_attention.heads
        width = layer.self_attention.output.in_features
        scale = (width // self.heads) ** -0.5
        rows = torch.ones(3 * width, 1)
        rows[:width] = scale
        self.qkv = nn.Parameter(layer.self_attention.qkv.weight.detach() * rows)
        self.query = nn.Parameter(layer.cross_attention.query.weight.detach() * scale)

    def forward(
        self, x: Tensor, future: Tensor, mask: Tensor, past: Tensor, memory: Tensor
    ) -> tuple[Tensor, Tensor]:
        """x [b, n, d], past [b, 2 h, t, d / h], memory [b, 2 h, s, d / h] -> x, present."""
        layer = self.layer
        query, new = self._heads(layer.self_norm(x), self.qkv).split((self.heads, 2 * self.heads), 1)
        present = torch.cat((past, new), 2)
        x = x + layer.self_attention.output(_attend(query, present, future))
        query = self._heads(layer.cross_norm(x), self.query)
        x = x + layer.cross_attention.output(_attend(query, memory, mask))
        return x + layer.feed_forward(layer.feed_forward_norm(x)), present

    def _heads(self, x: Tensor, weights: Tensor) -> Tensor:
        """[b, n, d] -> [b, heads, n, d / h], for queries alone or with keys and values."""
        heads = self.heads * weights.shape[0] // weights.shape[1]
        return functional.linear(x, weights).unflatten(2, (heads, -1)).transpose(1, 2)


def _attend(query: Tensor, keys_values: Tensor, bias: Tensor) -> Tensor:
    """query [b, h, n, d / h], scaled -> [b, n, d]."""
    keys, values = keys_values.chunk(2, 1)
    scores = query @ keys.transpose(2, 3) + bias
    return (scores.softmax(3) @ values).transpose(1, 2).flatten(2)


class Output(nn.Module):
    """hidden [n, d] -> log_p [n, V], logarithms of probabilities."""

    def __init__(self, model: Translator) -> None:
        super().__init__()
        self.table = model.embedding.weight

    def forward(self, hidden: Tensor) -> Tensor:
        """See the class."""
        return functional.linear(hidden, self.table).log_softmax(1)


def graphs(model: Translator, pairs: Pairs) -> dict[str, GraphSpec]:
    """What `ExportSpec.graphs` of a translator holds; `pairs` are real examples, a hundred are plenty.

    Raises ValueError where the model is none of those that the runtime decodes (pre-norm,
    sinusoids, no attention biases, no output bias).
    """
    config = model.config
    if config.norm != "pre" or config.embedding_norm or config.learned_positions:
        raise ValueError("only pre-norm models with sinusoids and no norm of embeddings can be exported")
    if config.attention_bias or config.output_bias:
        raise ValueError("only models without biases of attention and output can be exported")
    model = model.eval()
    modules = {name: kind(model).eval() for name, kind in KINDS.items()}
    feeds = _feeds(modules, pairs)
    return {
        name: GraphSpec(
            module=module,
            inputs={key: torch.from_numpy(value) for key, value in _doubled(name, feeds[name]).items()},
            outputs=OUTPUTS[name],
            dynamic_axes=AXES[name],
            calibration=feeds[name],
            axis_limits={"source": config.max_positions, "past": config.max_positions - 1, "rows": 4096},
            activations="dynamic" if name == "embedding" else "fixed",
        )
        for name, module in modules.items()
    }


KINDS = {"embedding": Embedding, "encoder": Encoder, "step": Step, "output": Output}
OUTPUTS = {"embedding": ("vectors",), "encoder": ("memory",), "step": ("hidden", "present"), "output": ("log_p",)}
AXES = {
    "embedding": {"ids": {0: "rows"}},
    "encoder": {"vectors": {0: "rows", 1: "source"}, "mask": {0: "rows", 3: "source"}},
    "step": {
        "vectors": {0: "rows", 1: "tokens"},
        "past": {0: "rows", 2: "past"},
        "future": {0: "tokens", 1: "seen"},
        "memory": {0: "rows", 2: "source"},
        "mask": {0: "rows", 3: "source"},
    },
    "output": {"hidden": {0: "rows"}},
}


def _feeds(modules: dict[str, nn.Module], pairs: Pairs) -> dict[str, list[dict[str, np.ndarray]]]:
    """Inputs of every graph on the way through real pairs, with teacher forcing."""
    feeds: dict[str, list[dict[str, Tensor]]] = {name: [] for name in modules}
    with torch.no_grad():
        for source, target in pairs:
            ids = torch.tensor([*source, BEGIN, *target[:-1]], dtype=torch.int32)
            feeds["embedding"].append({"ids": ids})
            vectors = modules["embedding"](ids)
            mask = torch.zeros(1, 1, 1, len(source))
            feeds["encoder"].append({"vectors": vectors[None, : len(source)], "mask": mask})
            memory = modules["encoder"](**feeds["encoder"][-1])
            past, n = memory[:, :, :0], len(target)
            hidden = []
            for first, last in ((0, n // 2), (n // 2, n)):  # two blocks, so that both have a cache
                new = vectors[None, len(source) + first : len(source) + last]
                future = torch.full((last - first, last), HIDDEN_SCORE).triu(1 + first)
                feed = {"vectors": new, "past": past, "future": future, "memory": memory, "mask": mask}
                feeds["step"].append(feed)
                states, past = modules["step"](**feed)
                hidden.append(states[0])
            feeds["output"].append({"hidden": torch.cat(hidden)})
    return {
        name: [{key: value.numpy() for key, value in feed.items()} for feed in given]
        for name, given in feeds.items()
    }


def _doubled(name: str, feeds: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """An example in which every dynamic axis is longer than 1."""
    longest = max(feeds, key=lambda feed: sum(value.size for value in feed.values()))
    if name in ("embedding", "output"):
        return longest
    return {key: value if key == "future" else np.repeat(value, 2, axis=0) for key, value in longest.items()}
