"""Character inputs and lexicon features against slow definitions, on every face."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.characters import identity_table, vocabulary
from edge_sdk.errors import KernelError
from edge_sdk.kernels.identities import LEXICON_FEATURES, LONGEST
from edge_sdk.kernels.reference import characters as reference

TABLE = identity_table(vocabulary("的中国，"))


@given(st.text(st.sampled_from("的中ab1 \u0301\u3000国A２"), max_size=30), st.sampled_from([2, 256, 1 << 15]))
def test_bigrams_hash_pairs(face, text: str, buckets: int) -> None:
    def expected(before: int, now: int) -> int:
        return ((now * 0x9E3779B1 + before * 0x85EBCA77) % 2**32) * buckets // 2**32

    identities, bigrams, _ = face("characters").character_inputs(text, TABLE, buckets)
    pairs = zip([0, *identities.tolist()], identities.tolist())
    assert bigrams.tolist() == [expected(a, b) for a, b in pairs]


@given(st.text(st.characters()))
def test_faces_agree(face, text: str) -> None:
    ours, theirs = (module.character_inputs(text, TABLE, 1 << 12) for module in (face("characters"), reference))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs))
    assert [getattr(a, "dtype", None) for a in ours] == [getattr(a, "dtype", None) for a in theirs]


def test_inside_words(face) -> None:
    found = face("characters").character_inputs("ab1 2c\u0301的\u0301 \u030122", TABLE, 2)[2]
    assert np.flatnonzero(found).tolist() == [1, 6, 8, 12]
    assert face("characters").character_inputs("的a中 7国", TABLE, 2)[2] is None


@pytest.mark.parametrize(
    "text,table,buckets,code",
    [
        (None, TABLE, 2, "bad_text"),
        ("x", TABLE[:-1], 2, "bad_table"),
        ("x", TABLE.astype(np.int32), 2, "bad_table"),
        ("x", [1], 2, "bad_table"),
        ("x", TABLE, 3, "bad_buckets"),
        ("x", TABLE, 1, "bad_buckets"),
        ("x", TABLE, "2", "bad_buckets"),
    ],
)
def test_wrong_inputs(face, text: object, table: object, buckets: object, code: str) -> None:
    with pytest.raises(KernelError) as error:
        face("characters").character_inputs(text, table, buckets)
    assert error.value.code == code


@pytest.mark.parametrize("starts,ends", [([0], [4]), ([-1], [1]), ([1], [1]), ([0, 1], [2])])
def test_words_beyond_the_text(face, starts: list[int], ends: list[int]) -> None:
    with pytest.raises(KernelError, match="bad_words"):
        face("characters").lexicon_features(3, np.array(starts, np.int32), np.array(ends, np.int32))
    with pytest.raises(KernelError, match="bad_words"):
        face("characters").lexicon_features(3, starts, ends)


@st.composite
def matches(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    size = draw(st.integers(1, 12))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(1, size)).filter(lambda m: sum(m) <= size)
    return size, draw(st.lists(pairs, max_size=12, unique=True))


@given(matches())
def test_lexicon_features(face, case: tuple[int, list[tuple[int, int]]]) -> None:
    size, found = case

    def longest(lengths: list[int], least: int) -> int:
        """0 for none, 1 for the shortest length that counts, and so on up to LONGEST."""
        return max((min(length, LONGEST) - least + 1 for length in lengths), default=0)

    expected = []
    for i in range(size):
        begins = longest([n for s, n in found if s == i and n > 1], 2)
        ends = longest([n for s, n in found if s + n - 1 == i and n > 1], 2)
        insides = longest([n for s, n in found if s < i < s + n - 1], 3)
        expected.append((begins * (LONGEST - 1) + insides) * LONGEST + ends)
    places = [(start, start + length) for start, length in found]
    starts, ends = (np.array([place[k] for place in places], np.int32) for k in (0, 1))
    result = face("characters").lexicon_features(size, starts, ends)
    assert result.tolist() == expected and result.dtype == np.int32
    assert result.max(initial=0) < LEXICON_FEATURES
