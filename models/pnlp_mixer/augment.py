"""Variations of training utterances."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence

from edge_sdk.evaluate.tagger import TaggedRow
from models.pnlp_mixer.config import AugmentConfig


class Augmenter:
    """Replaces slot values by other values of the same label in the training rows.

    Takes its randomness from Python's global generator.
    """

    def __init__(self, rows: Sequence[TaggedRow], config: AugmentConfig, max_tokens: int) -> None:
        self._config, self._max_tokens = config, max_tokens
        self._values: dict[str, list[list[str]]] = defaultdict(list)
        for row in rows:
            for label, first, last in spans(row.tags):
                self._values[label].append(row.tokens[first:last])

    def __call__(self, row: TaggedRow) -> TaggedRow:
        """A variation of the row, cut to the longest length that the model takes."""
        tokens: list[str] = []
        tags: list[str] = []
        position = 0
        for label, first, last in spans(row.tags):
            tokens += row.tokens[position:first]
            tags += row.tags[position:first]
            value = row.tokens[first:last]
            if random.random() < self._config.swap:
                value = random.choice(self._values[label])
            tokens += value
            tags += [f"B-{label}"] + [f"I-{label}"] * (len(value) - 1)
            position = last
        tokens += row.tokens[position:]
        tags += row.tags[position:]
        if random.random() < self._config.lower:
            tokens = [token.lower() for token in tokens]
        return TaggedRow(tokens[: self._max_tokens], tags[: self._max_tokens], row.intent)


def spans(tags: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """(label, first token, token after the last) of well-formed BIO tags."""
    first = 0
    while first < len(tags):
        last = first + 1
        if tags[first] != "O":
            while last < len(tags) and tags[last] == f"I-{tags[first][2:]}":
                last += 1
            yield tags[first][2:], first, last
        first = last
