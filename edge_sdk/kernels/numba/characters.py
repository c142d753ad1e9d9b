"""Character inputs compiled by Numba; the functions' contract is in the reference."""

from __future__ import annotations

import numpy as np
from numba import njit

from edge_sdk.kernels.identities import (
    DIGIT,
    EDGE,
    FIRST_KNOWN,
    FIRST_LETTER,
    LETTER,
    LONGEST,
    MARK,
    TABLE_SIZE,
)
from edge_sdk.kernels.reference.characters import check_inputs, check_places

_INSIDES = LONGEST - 1
_BEGINS = _INSIDES * LONGEST  # what a step of begins counts in a feature


@njit(nogil=True)
def _is_letter(identity):
    return identity == LETTER or FIRST_LETTER <= identity < FIRST_KNOWN


@njit(nogil=True)
def _inputs(codes, table, shift, identities, bigrams, inside):
    """Fills the three vectors; returns how many characters never begin a word."""
    count = 0
    before = EDGE
    for i, code in enumerate(codes):
        now = np.int64(table[min(code, TABLE_SIZE - 1)])
        identities[i] = now
        bigrams[i] = ((now * 0x9E3779B1 + before * 0x85EBCA77) & 0xFFFFFFFF) >> shift
        inside[i] = (
            (now == MARK and before != EDGE)
            or (now == DIGIT and before == DIGIT)
            or (_is_letter(now) and _is_letter(before))
        )
        count += inside[i]
        before = now
    return count


@njit(nogil=True)
def _features(starts, ends, features):
    for k in range(len(starts)):
        start, last = starts[k], ends[k] - 1
        level = min(last + 1 - start, LONGEST) - 1
        if level < 1:
            continue
        features[start] += max(0, level - features[start] // _BEGINS) * _BEGINS
        features[last] += max(0, level - features[last] % LONGEST)
        for i in range(start + 1, last):
            features[i] += max(0, level - 1 - features[i] % _BEGINS // LONGEST) * LONGEST


def character_inputs(
    text: str, table: np.ndarray, buckets: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Identities, bigrams, and which characters never begin a word, or None if all may."""
    check_inputs(text, table, buckets)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    identities, bigrams = np.empty((2, len(codes)), np.int32)
    inside = np.empty(len(codes), np.bool_)
    count = _inputs(codes, table, 33 - buckets.bit_length(), identities, bigrams, inside)
    return identities, bigrams, inside if count else None


def lexicon_features(size: int, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """int32 [size]: the longest lexicon words that begin at, go over and end at each character."""
    check_places(size, starts, ends)
    features = np.zeros(size, np.int32)
    _features(starts, ends, features)
    return features
