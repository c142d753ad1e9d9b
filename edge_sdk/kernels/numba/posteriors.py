"""Forward-backward compiled by Numba; the class's contract is in the reference."""

from __future__ import annotations

import numpy as np
from numba import njit

from edge_sdk.kernels.checks import check_path, no_path
from edge_sdk.kernels.reference.posteriors import TagPosteriors as ReferencePosteriors

__all__ = ["TagPosteriors"]


@njit
def _log_sum(values, more):
    top = -np.inf
    for i in range(len(values)):
        top = max(top, values[i] + more[i])
    if top == -np.inf:
        return top
    total = 0.0
    for i in range(len(values)):
        total += np.exp(values[i] + more[i] - top)
    return top + np.log(total)


@njit(nogil=True)
def _posteriors(scores, transitions, start, end, tags, result):
    """Fills `result`; returns the log of the summed weights of all paths."""
    n_tokens, n_tags = scores.shape
    before = np.empty((n_tokens, n_tags))
    before[0] = start + scores[0]
    for token in range(1, n_tokens):
        for tag in range(n_tags):
            before[token, tag] = _log_sum(before[token - 1], transitions[:, tag]) + scores[token, tag]
    total = _log_sum(before[-1], end)
    if total == -np.inf:
        return total
    after = end.copy()
    for token in range(n_tokens - 1, -1, -1):
        result[token] = min(1.0, np.exp(before[token, tags[token]] + after[tags[token]] - total))
        carried = after + scores[token]
        for tag in range(n_tags):
            after[tag] = _log_sum(carried, transitions[tag])
    return total


class TagPosteriors(ReferencePosteriors):
    """As the reference."""

    def __call__(self, emissions, tags):
        check_path(emissions, tags, self.n_tags)
        result = np.empty(len(emissions))
        if len(emissions) == 0:
            return result
        scores = emissions.astype(np.float64)
        if _posteriors(scores, self._transitions, self._start, self._end, tags, result) == -np.inf:
            raise no_path()
        return result
