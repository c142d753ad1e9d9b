"""Vectors as small integers, so that a dot product of integers is a cosine times a known number."""

from __future__ import annotations

import numpy as np

from edge_sdk.errors import InputError

_BLOCK = 8192
"""Vectors that are worked on at once: their float32 copies stay in the cache."""
_LARGEST_ROW = 127
_LARGEST_QUERY = 2047
"""A query is kept finer than the rows: with 12 bits its rounding adds nothing to theirs, and the sums of
integers still fit 32 bits (edge_sdk/kernels/reference/vectors.py)."""


def quantise_rows(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 [n, d] and float32 [n] of float32 [n, d]: directions, lengths are lost.

    A row's largest number becomes 127; its scale is 1 / the length of the integers, so that integers
    times scale have length 1. A vector of zeros has the scale 0.
    """
    rows, scales = np.empty(vectors.shape, np.int8), np.empty(len(vectors), np.float32)
    for first in range(0, len(vectors), _BLOCK):
        block = slice(first, first + _BLOCK)
        rows[block], scales[block] = _quantise(vectors[block], _LARGEST_ROW)
    return rows, scales


def quantise_query(vector: np.ndarray) -> tuple[np.ndarray, float]:
    """int16 [d] and scale of one float32 [d], as `quantise_rows` but with numbers up to 2047."""
    numbers, scales = _quantise(vector[None], _LARGEST_QUERY)
    return numbers[0].astype(np.int16), float(scales[0])


def _quantise(vectors: np.ndarray, largest: int) -> tuple[np.ndarray, np.ndarray]:
    peaks = np.abs(vectors).max(axis=1, keepdims=True)
    # Divided before it is multiplied: the quotient is at most 1, however small the vector is.
    numbers = np.rint(vectors / np.where(peaks > 0, peaks, 1) * np.float32(largest))
    lengths = np.sqrt(np.square(numbers, dtype=np.float64).sum(axis=1))
    scales = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return numbers, scales.astype(np.float32)


def check_vectors(vectors: object, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """`vectors` as float32 of this shape. Raises InputError (`input_vector`)."""
    array = np.asarray(vectors)
    if array.shape != shape or array.dtype.kind not in "fiu":
        raise InputError(
            "input_vector",
            f"argument {name} is {array.dtype}{list(array.shape)}, expected float32{list(shape)}",
            "give vectors of the model that the index belongs to",
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite, and refused below
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        place = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
        raise InputError(
            "input_vector", f"argument {name}{place} is {array[tuple(place)]}", "give finite numbers"
        )
    return array
