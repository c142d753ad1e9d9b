"""MinHash fingerprints and counting Bloom features of tokens (pNLP-Mixer, section 3.1, steps 2 to 6)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from edge_sdk.kernels.checks import check_features, check_fingerprints, check_out, check_scheme, check_tokens
from edge_sdk.kernels.scheme import HashScheme

CONTINUATION = "##"
_EMPTY = 0xFFFFFFFF
_MASK64 = (1 << 64) - 1
_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)


def _rotl(x: int, bits: int) -> int:
    return ((x << bits) | (x >> (64 - bits))) & _MASK64


def _round(accumulator: int, lane: int) -> int:
    return _rotl((accumulator + lane * _P2) & _MASK64, 31) * _P1 & _MASK64


def xxh64(data: bytes, seed: int = 0) -> int:
    """XXH64 of `data`, from its specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md)."""
    position, size = 0, len(data)
    h = (seed + _P5) & _MASK64
    if size >= 32:
        lanes = [(seed + _P1 + _P2) & _MASK64, (seed + _P2) & _MASK64, seed, (seed - _P1) & _MASK64]
        for position in range(0, size - 31, 32):
            for i in range(4):
                start = position + 8 * i
                lanes[i] = _round(lanes[i], int.from_bytes(data[start : start + 8], "little"))
        position += 32
        h = sum(_rotl(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & _MASK64
        for lane in lanes:
            h = ((h ^ _round(0, lane)) * _P1 + _P4) & _MASK64
    h = (h + size) & _MASK64
    while position + 8 <= size:
        h ^= _round(0, int.from_bytes(data[position : position + 8], "little"))
        h = (_rotl(h, 27) * _P1 + _P4) & _MASK64
        position += 8
    if position + 4 <= size:
        h ^= int.from_bytes(data[position : position + 4], "little") * _P1 & _MASK64
        h = (_rotl(h, 23) * _P2 + _P3) & _MASK64
        position += 4
    for byte in data[position:]:
        h = _rotl(h ^ (byte * _P5 & _MASK64), 11) * _P1 & _MASK64
    h = (h ^ (h >> 33)) * _P2 & _MASK64
    h = (h ^ (h >> 29)) * _P3 & _MASK64
    return h ^ (h >> 32)


@lru_cache(maxsize=1 << 16)  # about 12 MB when full; n-grams repeat
def string_hash(text: str, seed: int) -> int:
    """XXH64 of the UTF-8 bytes of `text`, folded to 32 bits."""
    h = xxh64(text.encode(), seed)
    return (h ^ (h >> 32)) & 0xFFFFFFFF


def pieces(token: Sequence[str], scheme: HashScheme) -> list[str]:
    """The strings of a token that are hashed.

    A continuation (not the first unit, begins with "##") is hashed whole, any other unit as its n-grams; a unit
    shorter than `ngram_min` is its own single n-gram; an empty unit gives nothing.
    """
    strings = []
    for index, unit in enumerate(token):
        if not unit:
            continue
        if index > 0 and unit.startswith(CONTINUATION):
            strings.append(unit)
            continue
        if scheme.boundaries:
            unit = f"\x02{unit}\x03"
        if len(unit) < scheme.ngram_min:
            strings.append(unit)
        for n in range(scheme.ngram_min, scheme.ngram_max + 1):
            strings += [unit[i : i + n] for i in range(len(unit) - n + 1)]
    return strings


def fingerprints(tokens: Sequence[Sequence[str]], scheme: HashScheme) -> np.ndarray:
    """MinHash fingerprint of every token.

    Args:
        tokens: one list (or tuple) of subword units a token, as WordPiece gives them.
        scheme: the hash scheme.

    Returns:
        uint32[len(tokens), n_hashes]; all 0xFFFFFFFF for a token with no unit or only empty ones.

    Raises:
        KernelError: `bad_token`, a token is no list of str or holds a lone surrogate, the message names it;
            `bad_tokens`, `bad_scheme`, an argument of another type.
    """
    check_scheme(scheme)
    check_tokens(tokens)
    seeds, multipliers = np.frombuffer(scheme.constants, np.uint32).reshape(2, scheme.n_hashes)
    result = np.full((len(tokens), scheme.n_hashes), _EMPTY, np.uint32)
    for row, token in zip(result, tokens):
        hashes = [string_hash(text, scheme.seed) for text in pieces(token, scheme)]
        if hashes:
            mixed = (np.array(hashes, np.uint32)[:, None] ^ seeds) * multipliers
            (mixed ^ (mixed >> np.uint32(16))).min(axis=0, out=row)
    return result


def bloom_counts(fingerprints: np.ndarray, n_features: int) -> np.ndarray:
    """Counting Bloom filter of fingerprints: how many of a token's values fall on each residue.

    Args:
        fingerprints: uint32[n, n_hashes]; a row of only 0xFFFFFFFF is an empty token.
        n_features: the modulus m, 1 to 2^24.

    Returns:
        uint8[n, n_features], counts that stop at 255; all zero for an empty token, so that a row of zeros is padding.

    Raises:
        KernelError: `bad_fingerprints` (dtype or shape), `bad_features` (range).
    """
    check_features(n_features)
    check_fingerprints(fingerprints)
    result = np.zeros((len(fingerprints), n_features), np.uint8)
    for row, values in zip(result, fingerprints):
        if not (values == _EMPTY).all():
            row[:] = np.minimum(np.bincount(values % np.uint32(n_features), minlength=n_features), 255)
    return result


def project(
    tokens: Sequence[Sequence[str]], scheme: HashScheme, n_features: int, out: np.ndarray | None = None
) -> np.ndarray:
    """`bloom_counts(fingerprints(tokens, scheme), n_features)` in one call.

    Args:
        tokens, scheme: as in `fingerprints`.
        n_features: as in `bloom_counts`.
        out: where to write, uint8[len(tokens), n_features], C-contiguous and writable; a new array if None.

    Returns:
        `out`, or the new array.

    Raises:
        KernelError: as `fingerprints` and `bloom_counts`, and `bad_out` if `out` does not fit.
    """
    check_features(n_features)
    check_scheme(scheme)
    check_tokens(tokens)
    if out is not None:
        check_out(out, (len(tokens), n_features))
    features = bloom_counts(fingerprints(tokens, scheme), n_features)
    if out is None:
        return features
    out[:] = features
    return out
