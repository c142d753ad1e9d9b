"""Viterbi decoding compiled by Numba; the functions' contract is in the reference."""

from __future__ import annotations

import numpy as np
from numba import njit

from edge_sdk.kernels.checks import check_emissions, check_nbest, no_path
from edge_sdk.kernels.reference.tags import TagDecoder as ReferenceDecoder
from edge_sdk.kernels.reference.tags import argmax_tags, bio_masks

__all__ = ["TagDecoder", "argmax_tags", "bio_masks", "viterbi", "viterbi_nbest"]

_NEVER = np.float32(-np.inf)


@njit(nogil=True)
def _viterbi(emissions, transitions, start, end, tags):
    """Fills `tags`; returns the best score, minus infinity if there is no path."""
    n_tokens, n_tags = emissions.shape
    previous = np.empty((n_tokens, n_tags), np.int32)
    best = start + emissions[0]
    reached = np.empty(n_tags, np.float32)
    for t in range(1, n_tokens):
        reached[:] = _NEVER
        previous[t] = 0
        for before in range(n_tags):
            for tag in range(n_tags):
                score = best[before] + transitions[before, tag]
                if score > reached[tag]:
                    reached[tag] = score
                    previous[t, tag] = before
        best = reached + emissions[t]
    final = best + end
    tag = final.argmax()
    for t in range(n_tokens - 1, -1, -1):
        tags[t] = tag
        tag = previous[t, tag]
    return final[tags[-1]]


@njit
def _offer(score, place, scores, places, n):
    """Insert behind those as good, into lists of `n`; the new number of entries."""
    limit = len(scores)
    if n == limit:
        if score <= scores[n - 1]:
            return n
        n -= 1
    at = n
    while at > 0 and scores[at - 1] < score:
        scores[at] = scores[at - 1]
        places[at] = places[at - 1]
        at -= 1
    scores[at] = score
    places[at] = place
    return n + 1


@njit(nogil=True)
def _nbest(emissions, transitions, start, end, paths, path_scores):
    """Fills `paths` and `path_scores`; returns how many there are."""
    n_tokens, n_tags = emissions.shape
    limit = len(path_scores)
    places = np.empty((n_tokens, n_tags, limit), np.int64)
    scores = np.empty((n_tags, limit), np.float32)
    counts = np.zeros(n_tags, np.int64)
    for tag in range(n_tags):
        scores[tag, 0] = start[tag] + emissions[0, tag]
        counts[tag] = scores[tag, 0] != _NEVER
    for t in range(1, n_tokens):
        next_scores = np.empty_like(scores)
        next_counts = np.zeros_like(counts)
        for tag in range(n_tags):
            if emissions[t, tag] == _NEVER:
                continue
            n = 0
            for before in range(n_tags):
                if transitions[before, tag] == _NEVER:
                    continue
                for rank in range(counts[before]):
                    score = scores[before, rank] + transitions[before, tag]
                    n = _offer(score, before * limit + rank, next_scores[tag], places[t, tag], n)
            next_scores[tag, :n] += emissions[t, tag]
            next_counts[tag] = n
        scores, counts = next_scores, next_counts
    final_places = np.empty(limit, np.int64)
    n = 0
    for tag in range(n_tags):
        if end[tag] == _NEVER:
            continue
        for rank in range(counts[tag]):
            n = _offer(scores[tag, rank] + end[tag], tag * limit + rank, path_scores, final_places, n)
    for path in range(n):
        place = final_places[path]
        for t in range(n_tokens - 1, -1, -1):
            paths[path, t] = place // limit
            if t > 0:
                place = places[t, place // limit, place % limit]
    return n


class TagDecoder(ReferenceDecoder):
    """Transition scores and masks, checked once for many utterances. Safe to share between threads."""

    def decode(self, emissions: np.ndarray) -> tuple[np.ndarray, float]:
        """int32[n] and float: the best tag sequence of float32[n, T] and its score."""
        check_emissions(emissions, self.n_tags)
        tags = np.empty(len(emissions), np.int32)
        if len(emissions) == 0:
            return tags, 0.0
        rows = np.ascontiguousarray(emissions)
        score = float(_viterbi(rows, self._transitions, self._start, self._end, tags))
        if score == -np.inf:
            raise no_path()
        return tags, score

    def nbest(self, emissions: np.ndarray, n: int) -> list[tuple[np.ndarray, float]]:
        """[(int32[n_tokens], float)]: the `n` best tag sequences and their scores, best first."""
        check_nbest(n)
        check_emissions(emissions, self.n_tags)
        if len(emissions) == 0:
            return [(np.empty(0, np.int32), 0.0)]
        paths = np.empty((n, len(emissions)), np.int32)
        scores = np.empty(n, np.float32)
        rows = np.ascontiguousarray(emissions)
        found = _nbest(rows, self._transitions, self._start, self._end, paths, scores)
        if found == 0:
            raise no_path()
        return [(paths[i].copy(), float(scores[i])) for i in range(found)]


def viterbi(emissions, transitions, start, end, allowed=None, allowed_start=None, allowed_end=None):
    """`TagDecoder(...).decode(emissions)` for a single use; keep a TagDecoder to decode many utterances."""
    return TagDecoder(transitions, start, end, allowed, allowed_start, allowed_end).decode(emissions)


def viterbi_nbest(emissions, transitions, start, end, allowed=None, allowed_start=None, allowed_end=None, *, n):
    """`TagDecoder(...).nbest(emissions, n)` for a single use."""
    return TagDecoder(transitions, start, end, allowed, allowed_start, allowed_end).nbest(emissions, n)
