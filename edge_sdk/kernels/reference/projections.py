"""The projections that the pNLP-Mixer paper compares with MinHash (section 4.2, Table 1), for rerunning it.

The paper leaves the hashes open; these use the ones of the hash scheme. A token's word is its units joined, without
the marks of continuations. All give int8 features; a token with an empty word has only zeros.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.errors import KernelError
from edge_sdk.kernels.checks import check_features, check_scheme, check_tokens
from edge_sdk.kernels.reference.fingerprint import CONTINUATION, pieces, string_hash
from edge_sdk.kernels.scheme import HashScheme


def _word(token: Sequence[str]) -> str:
    return "".join(unit.removeprefix(CONTINUATION) if index else unit for index, unit in enumerate(token))


def _mixes(string: str, seed: int, n: int) -> np.ndarray:
    """uint32[n]: the string's values under the first n hash functions of the scheme's seed."""
    seeds, multipliers = np.frombuffer(HashScheme(seed, n).constants, np.uint32).reshape(2, n)
    mixed = (np.uint32(string_hash(string, seed)) ^ seeds) * multipliers
    return mixed ^ (mixed >> np.uint32(16))


def _bits(string: str, seed: int, n_bits: int) -> np.ndarray:
    """uint8[n_bits] of 0 and 1: a long hash of the string, n_bits / 32 values with their lowest bits first."""
    values = _mixes(string, seed, -(-n_bits // 32)).astype("<u4")
    return np.unpackbits(values.view(np.uint8), bitorder="little")[:n_bits]


def _check(tokens: Sequence[Sequence[str]], scheme: HashScheme, n_features: int, most: int) -> None:
    check_features(n_features)
    if n_features > most:
        raise KernelError("bad_features", f"n_features is {n_features!r}", f"give an integer from 1 to {most}")
    check_scheme(scheme)
    check_tokens(tokens)


def binary_features(tokens: Sequence[Sequence[str]], scheme: HashScheme, n_features: int) -> np.ndarray:
    """int8[n, n_features]: 1 at each of the word's `scheme.n_hashes` values modulo n_features, else 0.

    Raises:
        KernelError: `bad_tokens`, `bad_token`, `bad_scheme`, `bad_features`, as `fingerprints`.
    """
    _check(tokens, scheme, n_features, 1 << 24)
    features = np.zeros((len(tokens), n_features), np.int8)
    for row, token in zip(features, tokens):
        if word := _word(token):
            row[_mixes(word, scheme.seed, scheme.n_hashes) % np.uint32(n_features)] = 1
    return features


def tsp_features(tokens: Sequence[Sequence[str]], scheme: HashScheme, n_features: int) -> np.ndarray:
    """int8[n, n_features]: ternary features of a hash of 2 * n_features bits of the word (Kaliamoorthi et al. 2019).

    Each pair of bits gives a feature: 10 gives 1, 01 gives -1, 00 and 11 give 0. n_features is at most 2^20;
    `scheme.n_hashes` is not used.

    Raises:
        KernelError: as `binary_features`.
    """
    _check(tokens, scheme, n_features, 1 << 20)
    features = np.zeros((len(tokens), n_features), np.int8)
    for row, token in zip(features, tokens):
        if word := _word(token):
            first, second = _bits(word, scheme.seed, 2 * n_features).reshape(n_features, 2).astype(np.int8).T
            row[:] = first - second
    return features


def simhash_features(tokens: Sequence[Sequence[str]], scheme: HashScheme, n_features: int) -> np.ndarray:
    """int8[n, n_features]: signs of a SimHash of n_features bits over the same n-grams that MinHash takes.

    Each n-gram or continuation adds 1 to a bit's histogram where its hash has a 1 and subtracts 1 where it has a 0;
    the feature is the sign, 0 on a tie. n_features is at most 2^20; `scheme.n_hashes` is not used.

    Raises:
        KernelError: as `binary_features`.
    """
    _check(tokens, scheme, n_features, 1 << 20)
    histogram = np.zeros((len(tokens), n_features), np.int64)
    for row, token in zip(histogram, tokens):
        for string in pieces(token, scheme):
            row += 2 * _bits(string, scheme.seed, n_features).astype(np.int64) - 1
    return np.sign(histogram).astype(np.int8)
