"""Nearest vectors compiled by Numba; the function's contract is in the reference."""

from __future__ import annotations

import numpy as np
from numba import njit

from edge_sdk.kernels.reference.vectors import best_of, check_nearest, no_score

__all__ = ["nearest"]


@njit(nogil=True)
def _scores(rows, scales, query, unit, scores):
    """Fills `scores`; whether all of them are finite."""
    n, dimension = rows.shape
    fine = True
    for row in range(n):
        total = np.int32(0)
        for i in range(dimension):
            total += np.int32(query[i]) * np.int32(rows[row, i])
        scores[row] = np.float32(np.float32(total) * scales[row]) * unit
        fine &= np.isfinite(scores[row])
    return fine


def nearest(rows, scales, query, unit, most):
    check_nearest(rows, scales, query, unit, most)
    scores = np.empty(len(rows), np.float32)
    if not _scores(rows, scales, query, np.float32(unit), scores):
        raise no_score(rows, scales, query, unit)
    return best_of(scores, most)
