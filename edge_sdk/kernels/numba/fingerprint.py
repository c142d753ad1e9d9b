"""MinHash fingerprints and Bloom features, compiled by Numba; the functions' contract is in the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit, uint32, uint64

from edge_sdk.kernels.checks import check_features, check_fingerprints, check_out, check_scheme, check_tokens
from edge_sdk.kernels.scheme import HashScheme

# Numba turns uint64 + int64 into float64: every constant and shift below is unsigned.
_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)


@njit
def _rotl(x, bits):
    return (x << uint64(bits)) | (x >> uint64(64 - bits))


@njit
def _read(data, position, size):
    x = uint64(0)
    for i in range(size):
        x |= uint64(data[position + i]) << uint64(8 * i)
    return x


@njit
def _round(accumulator, lane):
    return _rotl(accumulator + lane * _P2, 31) * _P1


@njit
def _merge(h, accumulator):
    return (h ^ _round(uint64(0), accumulator)) * _P1 + _P4


@njit
def _string_hash(data, begin, end, seed):
    p = begin
    h = seed + _P5
    if end - begin >= 32:
        a, b, c, d = seed + _P1 + _P2, seed + _P2, seed, seed - _P1
        while p + 32 <= end:
            a = _round(a, _read(data, p, 8))
            b = _round(b, _read(data, p + 8, 8))
            c = _round(c, _read(data, p + 16, 8))
            d = _round(d, _read(data, p + 24, 8))
            p += 32
        h = _rotl(a, 1) + _rotl(b, 7) + _rotl(c, 12) + _rotl(d, 18)
        h = _merge(_merge(_merge(_merge(h, a), b), c), d)
    h += uint64(end - begin)
    while p + 8 <= end:
        h = _rotl(h ^ _round(uint64(0), _read(data, p, 8)), 27) * _P1 + _P4
        p += 8
    if p + 4 <= end:
        h = _rotl(h ^ _read(data, p, 4) * _P1, 23) * _P2 + _P3
        p += 4
    while p < end:
        h = _rotl(h ^ uint64(data[p]) * _P5, 11) * _P1
        p += 1
    h = (h ^ h >> uint64(33)) * _P2
    h = (h ^ h >> uint64(29)) * _P3
    h ^= h >> uint64(32)
    return uint32(h ^ h >> uint64(32))


@njit
def _mix_min(data, begin, end, seed, constants, minimum):
    x = _string_hash(data, begin, end, seed)
    for i in range(len(minimum)):
        v = uint32((x ^ constants[0, i]) * constants[1, i])
        v = uint32(v ^ v >> uint32(16))
        minimum[i] = min(minimum[i], v)


@njit
def _next(data, position, end):
    """Position after the code point at `position`."""
    position += 1
    while position < end and data[position] & 0xC0 == 0x80:
        position += 1
    return position


@njit
def _add_grams(data, begin, end, seed, ngram_min, ngram_max, constants, minimum):
    first_to = begin  # where the first n-gram ends
    for n in range(1, ngram_max + 1):
        if first_to == end:  # the unit is shorter than n
            if n <= ngram_min:
                _mix_min(data, begin, end, seed, constants, minimum)
            return
        first_to = _next(data, first_to, end)
        if n < ngram_min:
            continue
        start, to = begin, first_to
        _mix_min(data, start, to, seed, constants, minimum)
        while to < end:
            start, to = _next(data, start, end), _next(data, to, end)
            _mix_min(data, start, to, seed, constants, minimum)


@njit(nogil=True)
def _fingerprints(data, ends, whole, token_ends, seed, ngram_min, ngram_max, constants, result):
    unit, begin = 0, 0
    for token in range(len(token_ends)):
        result[token] = 0xFFFFFFFF
        while unit < token_ends[token]:
            end = ends[unit]
            if whole[unit]:
                _mix_min(data, begin, end, seed, constants, result[token])
            elif end > begin:
                _add_grams(data, begin, end, seed, ngram_min, ngram_max, constants, result[token])
            begin = end
            unit += 1


@njit(nogil=True)
def _bloom_counts(fingerprints, n_features, result):
    for token in range(len(fingerprints)):
        result[token] = 0
        if (fingerprints[token] == 0xFFFFFFFF).all():
            continue
        for value in fingerprints[token]:
            place = value % n_features
            result[token, place] += result[token, place] != 255


def fingerprints(tokens: Sequence[Sequence[str]], scheme: HashScheme) -> np.ndarray:
    """uint32[len(tokens), n_hashes]: MinHash fingerprint of every token."""
    check_scheme(scheme)
    check_tokens(tokens)
    units, whole, token_ends = [], [], []
    for token in tokens:
        for index, unit in enumerate(token):
            continuation = index > 0 and unit.startswith("##")
            whole.append(continuation)
            units.append((f"\x02{unit}\x03" if scheme.boundaries and unit and not continuation else unit).encode())
        token_ends.append(len(units))
    result = np.empty((len(tokens), scheme.n_hashes), np.uint32)
    _fingerprints(
        np.frombuffer(b"".join(units), np.uint8),
        np.cumsum([len(unit) for unit in units], dtype=np.int64),
        np.array(whole, np.bool_),
        np.array(token_ends, np.int64),
        np.uint64(scheme.seed),
        scheme.ngram_min,
        scheme.ngram_max,
        np.frombuffer(scheme.constants, np.uint32).reshape(2, scheme.n_hashes),
        result,
    )
    return result


def bloom_counts(fingerprints: np.ndarray, n_features: int) -> np.ndarray:
    """uint8[n, n_features]: counting Bloom features of uint32[n, n_hashes]."""
    check_features(n_features)
    check_fingerprints(fingerprints)
    result = np.empty((len(fingerprints), n_features), np.uint8)
    _bloom_counts(np.ascontiguousarray(fingerprints), np.uint32(n_features), result)
    return result


def project(
    tokens: Sequence[Sequence[str]], scheme: HashScheme, n_features: int, out: np.ndarray | None = None
) -> np.ndarray:
    """uint8[len(tokens), n_features]: `bloom_counts(fingerprints(tokens, scheme), n_features)`, into `out` if given."""
    check_features(n_features)
    check_scheme(scheme)
    check_tokens(tokens)
    if out is None:
        out = np.empty((len(tokens), n_features), np.uint8)
    else:
        check_out(out, (len(tokens), n_features))
    _bloom_counts(fingerprints(tokens, scheme), np.uint32(n_features), out)
    return out
