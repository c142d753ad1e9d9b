"""Exact search of the nearest among many vectors of small integers."""

from __future__ import annotations

import numpy as np

from edge_sdk.errors import KernelError

MAX_DIMENSION = 8192
MAX_QUERY = 2047
"""Largest number of a query: 2047 * 128 * 8192 < 2^31, so no dot product overflows."""
_BLOCK = 4096
"""Rows that are widened to float64 at once."""


def nearest(
    rows: np.ndarray, scales: np.ndarray, query: np.ndarray, unit: float, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """The rows with the highest scores, best first; of equal scores the row that comes first.

    score of row i = float32(rows[i] @ query, exact) * scales[i] * float32(unit), rounded after each
    product: the same bits in every face.

    Args:
        rows: int8 [n, d], d from 1 to MAX_DIMENSION.
        scales: float32 [n], what an integer of a row is worth.
        query: int16 [d], numbers up to MAX_QUERY in size.
        unit: the same for the query, up to 1e38 in size.
        most: how many rows to give, at least 0.

    Returns:
        int32 [k] and float32 [k], k the smaller of n and `most`.

    Raises:
        KernelError: `bad_rows`, `bad_scales`, `bad_query`, `bad_unit`, `bad_most`, or `not_a_number`
            where a score is infinite or none.
    """
    check_nearest(rows, scales, query, unit, most)
    scores = _scores(rows, scales, query, unit)
    if not np.isfinite(scores).all():
        raise no_score(rows, scales, query, unit)
    return best_of(scores, most)


def best_of(scores: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """(int32 places, float32 scores) of the highest, best first, of equal ones the first."""
    kept = min(most, len(scores))
    places = np.arange(len(scores))
    if 0 < kept < len(scores):
        # All that reach the lowest score that is kept, in the order of rows, so that ties fall right.
        places = np.flatnonzero(scores >= np.partition(scores, -kept)[-kept])
    places = places[np.argsort(-scores[places], kind="stable")[:kept]].astype(np.int32)
    return places, scores[places]


def _scores(rows: np.ndarray, scales: np.ndarray, query: np.ndarray, unit: float) -> np.ndarray:
    dots = np.empty(len(rows), np.float32)
    wide = query.astype(np.float64)  # holds sums of integers below 2^53 exactly, in any order
    for first in range(0, len(rows), _BLOCK):
        dots[first : first + _BLOCK] = rows[first : first + _BLOCK].astype(np.float64) @ wide
    with np.errstate(over="ignore", invalid="ignore"):
        return dots * scales * np.float32(unit)


def check_nearest(rows: object, scales: object, query: object, unit: object, most: object) -> None:
    """Raises KernelError for arguments of `nearest`; all faces use it."""
    if not isinstance(rows, np.ndarray) or rows.dtype != np.int8 or rows.ndim != 2:
        raise KernelError("bad_rows", "rows is no int8 matrix", "give what quantise_rows() returned")
    n, dimension = rows.shape
    if not 1 <= dimension <= MAX_DIMENSION or n > 2**31 - 1:
        raise KernelError("bad_rows", f"rows is {n} x {dimension}", f"give vectors of 1 to {MAX_DIMENSION} numbers")
    if not isinstance(scales, np.ndarray) or scales.dtype != np.float32 or scales.shape != (n,):
        raise KernelError("bad_scales", "scales does not fit the rows", f"give float32[{n}]")
    if not isinstance(query, np.ndarray) or query.dtype != np.int16 or query.shape != (dimension,):
        raise KernelError("bad_query", "query does not fit the rows", f"give int16[{dimension}]")
    if query.min() < -MAX_QUERY or query.max() > MAX_QUERY:
        raise KernelError("bad_query", "a number of query is too large", f"give numbers up to {MAX_QUERY} in size")
    if not isinstance(unit, float) or not abs(unit) <= 1e38:
        raise KernelError("bad_unit", f"unit is {unit!r}", "give a float up to 1e38 in size")
    if not isinstance(most, int) or most < 0:
        raise KernelError("bad_most", f"most is {most!r}", "give an integer of at least 0")


def no_score(rows: np.ndarray, scales: np.ndarray, query: np.ndarray, unit: float) -> KernelError:
    """The error of scores that are no numbers, naming the first row."""
    scores = _scores(rows, scales, query, unit)
    row = int(np.flatnonzero(~np.isfinite(scores))[0])
    return KernelError("not_a_number", f"the score of row {row} is {scores[row]}", f"scales[{row}] is {scales[row]}")
