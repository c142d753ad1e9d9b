"""Features of the words of a training run, computed once a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from edge_sdk.projection import Projection
from edge_sdk.text import normalise_word


class WordTable:
    """A growing table of word features; number 0 is padding, whose features are zero.

    Uses the runtime's own projection, so that training sees what the device computes.
    """

    def __init__(self, projection: Projection, words: Iterable[str]) -> None:
        self._projection = projection
        self._number: dict[str, int] = {}
        self._table = torch.zeros(1, projection.n_features, dtype=torch.uint8)
        self._add(dict.fromkeys(words))

    def numbers(self, words: Sequence[str]) -> list[int]:
        """The rows of words in the table; new words are added to it."""
        if missing := dict.fromkeys(word for word in words if word not in self._number):
            self._add(missing)
        return [self._number[word] for word in words]

    def features(self, numbers: Tensor) -> Tensor:
        """float32 [..., n_features] of row numbers int64 [...]."""
        return self._table[numbers].float()

    def _add(self, words: Iterable[str]) -> None:
        words = list(words)
        rows = self._projection([normalise_word(word) for word in words])
        first = len(self._number) + 1
        self._number.update((word, first + place) for place, word in enumerate(words))
        self._table = torch.cat([self._table, torch.from_numpy(np.array(rows))])
