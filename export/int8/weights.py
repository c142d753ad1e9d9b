"""Weights as int8 and float32 scales.

Weights that meet uint8 activations have one scale a column, as fine as 8 bits allow without
overflow on any processor: x86's instruction for 8-bit products without VNNI (PMADDUBSW) adds two
neighbouring products in 16 bits and saturates.
"""

from __future__ import annotations

import numpy as np

LARGEST = 127
LARGEST_PAIR = 128
"""255 * 128 fits into 16 signed bits: sum of two neighbouring weights of the same sign."""
SMALLEST_SCALE = 1e-30
"""What is smaller is 0: division by a denormal number would overflow."""
SMALLEST_GROUP = 32
"""So many weights at least share a scale."""


def quantize_columns(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32[K, N] -> int8[K, N] and float32[N], whose product is about `weights`.

    In a column, weights 2k and 2k + 1 that have the same sign add up to at most LARGEST_PAIR.
    """
    pairs = np.pad(weights, ((0, len(weights) % 2), (0, 0))).reshape(-1, 2, weights.shape[1])
    one_sign = np.maximum(np.maximum(pairs, 0).sum(axis=1), np.maximum(-pairs, 0).sum(axis=1))
    # Rounding may add a half to each of the two.
    needed = np.maximum(np.abs(weights).max(axis=0) / LARGEST, one_sign.max(axis=0) / (LARGEST_PAIR - 1))
    scales = np.maximum(needed, SMALLEST_SCALE).astype(np.float32)
    return np.rint(weights / scales).astype(np.int8), scales


def quantize_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32[..., K] -> int8[..., K] and float32[..., 1], whose product is about `values`.

    For constants that are turned back into float32 before use. Where rows are short, like those of
    a convolution's kernels, more of the last axes share a scale (and are 1 in its shape).
    """
    first = values.ndim - 1
    while first > 1 and np.prod(values.shape[first:]) < SMALLEST_GROUP:
        first -= 1
    largest = np.abs(values).max(axis=tuple(range(first, values.ndim)), keepdims=True)
    scales = np.maximum(largest / LARGEST, SMALLEST_SCALE).astype(np.float32)
    return np.rint(values / scales).astype(np.int8), scales


def quantize_kernels(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32[M, ...] -> int8[M, ...] and float32[M]: kernels of a convolution.

    An engine may lay out a kernel's weights in any order, so any two add up to LARGEST_PAIR at most.
    """
    largest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
    scales = np.maximum(largest / (LARGEST_PAIR // 2), SMALLEST_SCALE).astype(np.float32)
    return np.rint(weights / scales.reshape(-1, *[1] * (weights.ndim - 1))).astype(np.int8), scales
