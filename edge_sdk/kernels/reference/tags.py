"""Viterbi decoding of tag sequences: a linear-chain CRF's best paths, with masks of allowed transitions.

All sums are float32 and taken from left to right, ((start + e_0) + t_01) + e_1 ... + end, so that every face gives
the same bits and breaks ties alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.kernels.checks import check_emissions, check_nbest, check_transitions, no_path
from edge_sdk.kernels.labels import KINDS, TagLabels

_NEVER = np.float32(-np.inf)


class TagDecoder:
    """Transition scores and masks, checked and laid out once for many utterances. Safe to share between threads.

    Args:
        transitions: float32[T, T], score of going from tag (row) to tag (column).
        start, end: float32[T], score of a first and of a last tag.
        allowed: bool or uint8[T, T], 0 where a transition is forbidden; None allows all.
        allowed_start, allowed_end: bool or uint8[T], likewise.

    Scores are at most 1e30 in size, or minus infinity, which forbids.

    Raises:
        KernelError: `bad_scores`, `bad_mask` (type or shape; the message names the argument), `not_a_number` (NaN, plus
            infinity or beyond 1e30).
    """

    def __init__(
        self,
        transitions: np.ndarray,
        start: np.ndarray,
        end: np.ndarray,
        allowed: np.ndarray | None = None,
        allowed_start: np.ndarray | None = None,
        allowed_end: np.ndarray | None = None,
    ) -> None:
        check_transitions(transitions, start, end, allowed, allowed_start, allowed_end)
        self.n_tags = len(start)
        self._transitions = _masked(transitions, allowed)
        self._start = _masked(start, allowed_start)
        self._end = _masked(end, allowed_end)

    def decode(self, emissions: np.ndarray) -> tuple[np.ndarray, float]:
        """The best tag sequence.

        Args:
            emissions: float32[n, T], one row a token; the limits of the other scores hold.

        Returns:
            int32[n] and the path's score; nothing and 0.0 for n = 0. Of equally good last tags, and of equally good
            predecessors of a tag, the smallest wins.

        Raises:
            KernelError: `bad_scores`, `not_a_number`, or `no_path` if the masks leave none.
        """
        check_emissions(emissions, self.n_tags)
        if len(emissions) == 0:
            return np.empty(0, np.int32), 0.0
        best = self._start + emissions[0]
        previous = np.empty(emissions.shape, np.int32)
        for position in range(1, len(emissions)):
            scores = best[:, None] + self._transitions
            previous[position] = scores.argmax(axis=0)
            best = scores.max(axis=0) + emissions[position]
        final = best + self._end
        tags = np.empty(len(emissions), np.int32)
        tags[-1] = final.argmax()
        if final[tags[-1]] == _NEVER:
            raise no_path()
        for position in range(len(emissions) - 1, 0, -1):
            tags[position - 1] = previous[position, tags[position]]
        return tags, float(final[tags[-1]])

    def nbest(self, emissions: np.ndarray, n: int) -> list[tuple[np.ndarray, float]]:
        """The `n` best tag sequences with their scores, best first; fewer if there are fewer.

        Of equally good ways to a tag the one with the smaller predecessor comes first, then the one that is better
        placed among the predecessor's own; the ends of paths are ordered alike.

        Args:
            emissions: as in `decode`.
            n: 1 to 1024.

        Raises:
            KernelError: as `decode`, and `bad_nbest`.
        """
        check_nbest(n)
        check_emissions(emissions, self.n_tags)
        if len(emissions) == 0:
            return [(np.empty(0, np.int32), 0.0)]
        # by_tag[tag]: up to n (score, path) by falling score; a path is (tag, path before), from the end backwards
        first = enumerate(self._start + emissions[0])
        by_tag = {tag: [(score, (tag, None))] for tag, score in first if score != _NEVER}
        for position in range(1, len(emissions)):
            reached = {}
            for tag, emission in enumerate(emissions[position]):
                ways = [
                    (score + self._transitions[before, tag], path)
                    for before, beam in by_tag.items()
                    for score, path in beam
                ]
                ways = sorted((way for way in ways if way[0] != _NEVER), key=lambda way: -way[0])[:n]  # stable
                ways = [(score + emission, (tag, path)) for score, path in ways if score + emission != _NEVER]
                if ways:
                    reached[tag] = ways
            by_tag = reached
        ends = [(score + self._end[tag], path) for tag, beam in by_tag.items() for score, path in beam]
        ends = sorted((way for way in ends if way[0] != _NEVER), key=lambda way: -way[0])[:n]
        if not ends:
            raise no_path()
        return [(_unwind(path, len(emissions)), float(score)) for score, path in ends]


def _masked(scores: np.ndarray, allowed: np.ndarray | None) -> np.ndarray:
    return scores.copy() if allowed is None else np.where(allowed != 0, scores, _NEVER)


def _unwind(path: tuple, n_tokens: int) -> np.ndarray:
    tags = np.empty(n_tokens, np.int32)
    for position in range(n_tokens - 1, -1, -1):
        tags[position], path = path
    return tags


def viterbi(
    emissions: np.ndarray,
    transitions: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    allowed: np.ndarray | None = None,
    allowed_start: np.ndarray | None = None,
    allowed_end: np.ndarray | None = None,
) -> tuple[np.ndarray, float]:
    """`TagDecoder(...).decode(emissions)` for a single use; keep a TagDecoder to decode many utterances."""
    return TagDecoder(transitions, start, end, allowed, allowed_start, allowed_end).decode(emissions)


def viterbi_nbest(
    emissions: np.ndarray,
    transitions: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    allowed: np.ndarray | None = None,
    allowed_start: np.ndarray | None = None,
    allowed_end: np.ndarray | None = None,
    *,
    n: int,
) -> list[tuple[np.ndarray, float]]:
    """`TagDecoder(...).nbest(emissions, n)` for a single use."""
    return TagDecoder(transitions, start, end, allowed, allowed_start, allowed_end).nbest(emissions, n)


def argmax_tags(emissions: np.ndarray) -> np.ndarray:
    """int32[n]: each token's best tag by itself, the smallest of equally good ones.

    Args:
        emissions: float32[n, T], T at least 1; limits as in TagDecoder.

    Raises:
        KernelError: `bad_scores`, `not_a_number`.
    """
    check_emissions(emissions, None)
    return emissions.argmax(axis=1).astype(np.int32)


def bio_masks(labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which tags may follow each other, come first and come last.

    BIO: I-x follows only B-x or I-x; any tag may come last. BIOES (some name has E or S): after B-x or I-x comes only
    I-x or E-x, and these come only there; I-x and E-x do not come first, B-x and I-x not last.

    Args:
        labels: tag names, see TagLabels.

    Returns:
        allowed uint8[T, T] (from, to), first uint8[T], last uint8[T]; 1 where allowed.

    Raises:
        KernelError: `bad_label`.
    """
    tags = TagLabels(labels)
    kinds, types = tags.kinds, tags.types
    outside, begin, inside, end, single = range(len(KINDS))
    bioes = np.isin(kinds, (end, single)).any()
    inner = np.isin(kinds, (inside, end))  # these continue a span
    unfinished = np.isin(kinds, (begin, inside))  # after these a span can be continued, in BIOES must be
    same = types[:, None] == types[None, :]
    continues = unfinished[:, None] & inner[None, :] & same
    opens = ~inner[None, :] & ~(unfinished[:, None] & bioes)
    allowed = (continues | opens).astype(np.uint8)
    return allowed, (~inner).astype(np.uint8), (~(unfinished & bioes)).astype(np.uint8)
