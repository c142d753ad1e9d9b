"""The graphs of a translator as functions on arrays.

Shapes: n ids, b rows, s source length, t tokens decided, d width, V vocabulary. Keys and values of
all decoder layers are one array [b, k, length, d / heads].
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from edge_sdk.backends.base import Session
from edge_sdk.query_tokenizer import PADDING

HIDDEN_SCORE = np.float32(-1e4)
"""Added to the attention score of padding; finite, so that no softmax divides 0 by 0."""


class Memory(NamedTuple):
    """What the decoder attends to in the sources."""

    keys_values: np.ndarray
    """float32 [b, k, s, d / heads]."""
    mask: np.ndarray
    """float32 [b, 1, 1, s]: 0, or HIDDEN_SCORE on padding."""

    def rows(self, index: np.ndarray) -> Memory:
        """The memory of some rows; a row may be there several times."""
        return Memory(self.keys_values[index], self.mask[index])


class Hypothesis(NamedTuple):
    """A target and its score."""

    tokens: tuple[int, ...]
    """Without END."""
    log_p: float
    """Logarithm of the probability of the tokens and END, given the source."""


class Decoder:
    """The four graphs `embedding`, `encoder`, `step`, `output`. Safe to share between threads."""

    def __init__(self, embedding: Session, encoder: Session, step: Session, output: Session) -> None:
        self._embedding, self._encoder, self._step, self._output = embedding, encoder, step, output

    def vectors(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """int [n] -> float32 [n, d]."""
        return self._embedding.run({"ids": np.asarray(ids, np.int32)})["vectors"]

    def encode(self, vectors: np.ndarray, mask: np.ndarray) -> Memory:
        """Vectors of source tokens float32 [b, s, d] and their mask."""
        memory = self._encoder.run({"vectors": vectors, "mask": mask})["memory"]
        return Memory(memory, mask)

    def encode_batch(self, sources: Sequence[Sequence[int]]) -> Memory:
        """Sources of different lengths, each with END, padded to the longest."""
        longest = max(map(len, sources))
        ids = np.full((len(sources), longest), PADDING, np.int32)
        mask = np.zeros((len(sources), 1, 1, longest), np.float32)
        for row, source in enumerate(sources):
            ids[row, : len(source)] = source
            mask[row, :, :, len(source) :] = HIDDEN_SCORE
        return self.encode(self.vectors(ids.ravel()).reshape(*ids.shape, -1), mask)

    def start(self, memory: Memory) -> np.ndarray:
        """The cache before the first token, float32 [b, k, 0, d / heads]."""
        return memory.keys_values[:, :, :0]

    def step(self, vectors: np.ndarray, past: np.ndarray, memory: Memory) -> tuple[np.ndarray, np.ndarray]:
        """The last token of each row, and perhaps guesses after it.

        float32 [b, n, d] -> what the token after each one follows from [b, n, d], and the cache with
        all of them.
        """
        out = self._step.run(
            {
                "vectors": vectors,
                "past": past,
                "future": _future(vectors.shape[1], past.shape[2]),
                "memory": memory.keys_values,
                "mask": memory.mask,
            }
        )
        return out["hidden"], out["present"]

    def log_p(self, hidden: np.ndarray) -> np.ndarray:
        """float32 [n, d] -> logarithms of the probabilities of all tokens [n, V]."""
        return self._output.run({"hidden": hidden})["log_p"]


@lru_cache(maxsize=1024)
def _future(tokens: int, past: int) -> np.ndarray:
    """float32 [tokens, past + tokens]: HIDDEN_SCORE where a token would see a later one."""
    return np.triu(np.full((tokens, past + tokens), HIDDEN_SCORE, np.float32), 1 + past)
