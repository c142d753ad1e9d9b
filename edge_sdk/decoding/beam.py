"""Beam search: the best beginnings of each target are kept; many sources in step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edge_sdk.decoding.decoder import Decoder, Hypothesis
from edge_sdk.decoding.length_penalty import LengthPenalty
from edge_sdk.query_tokenizer import BEGIN, END


def beam_search(
    decoder: Decoder,
    sources: Sequence[Sequence[int]],
    limits: Sequence[int],
    beam: int,
    penalty: LengthPenalty,
) -> list[list[Hypothesis]]:
    """At most `beam` targets of each source, the best first.

    Args:
        sources: ids, each with END.
        limits: most tokens of each target (`LengthLimit`).

    With a beam of 1 this is greedy search; with one as wide as there are targets it is exhaustive.
    """
    memory = decoder.encode_batch(sources)
    past = decoder.start(memory)
    searches = [Search(beam, limit, penalty) for limit in limits]
    going = searches
    while going:
        last = [row.tokens[-1] if row.tokens else BEGIN for search in going for row in search.rows]
        hidden, past = decoder.step(decoder.vectors(last)[:, None], past, memory)
        scores = decoder.log_p(hidden[:, 0])
        parents: list[int] = []
        sizes = [len(search.rows) for search in going]
        first = 0
        for search, size in zip(going, sizes):
            parents += [first + parent for parent in search.advance(scores[first : first + size])]
            first += size
        index = np.array(parents, np.intp)
        if parents != list(range(first)):
            past = past[index]
        if sizes != [len(search.rows) for search in going]:  # else each row has its source's memory
            memory = memory.rows(index)
        going = [search for search in going if search.rows]
    return [search.ranked() for search in searches]


class Row(NamedTuple):
    """A target that has not ended."""

    tokens: tuple[int, ...]
    log_p: float


class Search:
    """The search for one source's target; knows nothing of the model."""

    def __init__(self, beam: int, limit: int, penalty: LengthPenalty) -> None:
        self.rows = [Row((), 0.0)]
        """What to go on with; empty when the search has ended."""
        self._finished: list[tuple[float, Hypothesis]] = []
        self._beam, self._limit, self._penalty = beam, limit, penalty

    def advance(self, scores: np.ndarray) -> list[int]:
        """Replace `rows` by the best rows with one more token.

        `scores` float32 [rows, V], which is overwritten, holds the logarithms of the
        probabilities of each row's next token. Returns the place of each new row's parent.
        """
        if len(self.rows[0].tokens) == self._limit:
            for row, log_p in zip(self.rows, scores[:, END].tolist()):
                self._finish(row, log_p)
            self.rows = []
            return []
        # Twice the beam: even if every row's best continuation is END, a beam of others is left.
        candidates = [
            (row.log_p + log_p, place, token)
            for place, (row, pairs) in enumerate(zip(self.rows, largest(scores, 2 * self._beam)))
            for token, log_p in pairs
        ]
        candidates.sort(key=lambda candidate: -candidate[0])
        rows: list[Row] = []
        parents: list[int] = []
        for rank, (log_p, place, token) in enumerate(candidates[: 2 * self._beam]):
            if token != END and len(rows) < self._beam:
                rows.append(Row((*self.rows[place].tokens, token), log_p))
                parents.append(place)
            elif token == END and rank < self._beam:
                self._finish(self.rows[place], log_p - self.rows[place].log_p)
        done = len(self._finished) >= self._beam or self._cannot_improve(rows)
        self.rows = [] if done else rows
        return [] if done else parents

    def ranked(self) -> list[Hypothesis]:
        """The finished hypotheses, the best first."""
        ordered = sorted(self._finished, key=lambda pair: -pair[0])
        return [hypothesis for _, hypothesis in ordered[: self._beam]]

    def _finish(self, row: Row, log_p: float) -> None:
        total = row.log_p + log_p
        rank = self._penalty(total, len(row.tokens) + 1)
        self._finished.append((rank, Hypothesis(row.tokens, total)))

    def _cannot_improve(self, rows: Sequence[Row]) -> bool:
        """Whether the best finished hypothesis stays the best whatever `rows` become."""
        best = max((rank for rank, _ in self._finished), default=-np.inf)
        return all(self._penalty.bound(row.log_p, self._limit + 1) <= best for row in rows)


def largest(scores: np.ndarray, count: int) -> list[list[tuple[int, float]]]:
    """The `count` largest values of each row with their places; overwrites float32 [n, V].

    One maximum after the other: for the small counts of a beam this takes a tenth of the time of
    a partition. Equal values come in the order of their places, as argmax finds them.
    """
    lines = np.arange(len(scores))
    found = []
    for _ in range(min(count, scores.shape[1])):
        places = scores.argmax(axis=1)
        found.append(list(zip(places.tolist(), scores[lines, places].tolist())))
        scores[lines, places] = -np.inf
    return [list(row) for row in zip(*found)]
