"""Spans and their scores compiled by Numba; the functions' contract is in the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from edge_sdk.kernels.checks import MAX_SCORE, check_labels, check_span_arguments, check_tags
from edge_sdk.kernels.labels import KINDS, TagLabels

_OUTSIDE, _, _INSIDE, _END, _SINGLE = range(len(KINDS))
_TINY = np.finfo(np.float64).tiny


@njit(nogil=True)
def _tag_spans(tags, kinds, types, spans):
    """Fills rows (type, first, last) of `spans`; returns their number."""
    n, opened = 0, False
    for position in range(len(tags)):
        kind, type_ = kinds[tags[position]], types[tags[position]]
        if not ((kind == _INSIDE or kind == _END) and opened and type_ == spans[n, 0]):
            if opened:
                spans[n, 2] = position
                n += 1
            opened = kind != _OUTSIDE
            if opened:
                spans[n, 0] = type_
                spans[n, 1] = position
        if kind == _END or kind == _SINGLE:
            spans[n, 2] = position + 1
            n += 1
            opened = False
    if opened:
        spans[n, 2] = len(tags)
        n += 1
    return n


@njit(nogil=True)
def _span_scores(emissions, tags, firsts, lasts, scores):
    for s in range(len(firsts)):
        total = 0.0
        for t in range(firsts[s], lasts[s]):
            highest = max(float(emissions[t].max()), -MAX_SCORE)
            weights = 0.0
            for score in emissions[t]:
                weights += np.exp(float(score) - highest)
            total += np.exp(float(emissions[t, tags[t]]) - highest) / max(weights, _TINY)
        scores[s] = total / (lasts[s] - firsts[s])


def tag_spans(tags: np.ndarray, labels: TagLabels) -> list[tuple[str, int, int]]:
    """[(type, first token, token after the last)]: the spans that int32[n] tags mark, in order."""
    check_labels(labels)
    check_tags(tags, len(labels))
    spans = np.empty((len(tags), 3), np.int64)
    n = _tag_spans(tags, labels.kinds, labels.types, spans)
    return [(labels.type_names[type_], first, last) for type_, first, last in spans[:n].tolist()]


def span_scores(emissions: np.ndarray, tags: np.ndarray, spans: Sequence[tuple[str, int, int]]) -> list[float]:
    """[float]: each span's mean softmax probability of its tokens' tags."""
    check_span_arguments(emissions, tags, spans)
    ranges = np.array([span[1:] for span in spans], np.int64).reshape(-1, 2)
    scores = np.empty(len(spans), np.float64)
    _span_scores(emissions, tags, ranges[:, 0], ranges[:, 1], scores)
    return scores.tolist()
