"""The paper's other projections: their definitions, with an independent XXH64, and their statistics."""

from __future__ import annotations

import numpy as np
import pytest
import xxhash

from edge_sdk.errors import KernelError
from edge_sdk.kernels import HashScheme
from edge_sdk.kernels.reference.projections import binary_features, simhash_features, tsp_features
from edge_sdk.kernels.scheme import splitmix64

SCHEME = HashScheme(seed=7)
ALL = [binary_features, tsp_features, simhash_features]


def values(string: str, n: int) -> list[int]:
    h = xxhash.xxh64_intdigest(string.encode(), SCHEME.seed)
    mixed = [((h ^ h >> 32) % 2**32 ^ r % 2**32) * (r >> 32 | 1) % 2**32 for r in splitmix64(SCHEME.seed, n)]
    return [v ^ v >> 16 for v in mixed]


def bits(string: str, n: int) -> list[int]:
    return [value >> place & 1 for value in values(string, n // 32) for place in range(32)]


@pytest.mark.parametrize("token", [["Bringing"], ["Bring", "##ing"], ["漢字", "##é"], ["##x"]])
def test_definitions(token):
    word = token[0] + "".join(unit[2:] for unit in token[1:])
    places = {value % 512 for value in values(word, 256)}
    assert set(np.flatnonzero(binary_features([token], SCHEME, 512)[0])) == places
    word_bits = bits(word, 1024)
    ternary = [a - b for a, b in zip(word_bits[::2], word_bits[1::2])]
    assert tsp_features([token], SCHEME, 512).tolist() == [ternary]
    grams = [token[0][i : i + 3] for i in range(max(1, len(token[0]) - 2))] + token[1:]
    histogram = np.sum([[2 * bit - 1 for bit in bits(gram, 512)] for gram in grams], axis=0)
    assert simhash_features([token], SCHEME, 512).tolist() == [np.sign(histogram).tolist()]


def test_statistics():
    """Over many words: ternary features are 0, 1, -1 in the shares 1/2, 1/4, 1/4; a word of one n-gram has a sign
    everywhere; similar words agree more under SimHash than under the two that hash the word as a whole."""
    words = [[f"word{i}"] for i in range(200)]
    ternary = tsp_features(words, SCHEME, 512)
    assert abs((ternary == 0).mean() - 0.5) < 0.01
    assert abs((ternary == 1).mean() - 0.25) < 0.01
    assert (simhash_features([["abc"]], SCHEME, 512) != 0).all()
    near = {function: function([["transport"], ["transports"]], SCHEME, 512) for function in ALL}
    agreement = {function: (a == b).mean() for function, (a, b) in near.items()}
    assert agreement[simhash_features] > 0.7
    assert agreement[tsp_features] < 0.5


@pytest.mark.parametrize("function", ALL)
def test_shape_padding_and_errors(function):
    features = function([["a"], [], [""], ["", "##"]], SCHEME, 100)
    assert features.dtype == np.int8
    assert features.shape == (4, 100)
    assert features[0].any()
    assert not features[1:3].any()
    for arguments in ((["ab"], SCHEME, 8), ([["\udc00"]], SCHEME, 8), ([["a"]], None, 8), ([["a"]], SCHEME, 0)):
        with pytest.raises(KernelError):
            function(*arguments)
