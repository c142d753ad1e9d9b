"""Characters and lexicon features against slow definitions."""

from __future__ import annotations

import sys
import unicodedata
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.characters import fold, identity_table, plain_text, prepare, vocabulary
from edge_sdk.kernels.identities import DIGIT, EDGE, HAN, LETTER, LEXICON_FEATURES, LONGEST, MARK, SYMBOL
from edge_sdk.errors import KernelError
from edge_sdk.kernels.native import _characters as native
from edge_sdk.kernels.reference import characters as reference
from edge_sdk.unbreakable import unbreakable

FACES = pytest.mark.parametrize("face", [native, reference])
NAMES = vocabulary("的中国，")
TABLE = identity_table(NAMES)


def test_identities_of_classes() -> None:
    text = "的龘aＡ7７ \n\u3000\u0301😀\U00020000\U000e0041я한"
    expected = [
        NAMES.index("的"), HAN, NAMES.index("a"), NAMES.index("a"), DIGIT, DIGIT, EDGE, EDGE, EDGE,
        MARK, SYMBOL, HAN, MARK, LETTER, LETTER,
    ]  # fmt: skip
    assert prepare(text, TABLE, 64)[0].tolist() == expected


@given(st.text(st.characters()))
def test_any_text_has_one_identity_a_character(text: str) -> None:
    found = prepare(text, TABLE, 64)[0]
    assert found.shape == (len(text),) and found.dtype == np.int32
    assert all(0 <= i < len(NAMES) for i in found.tolist())
    assert prepare(text + "a", TABLE, 64)[0][: len(text)].tolist() == found.tolist()
    assert len(plain_text(text)) == len(text)


def test_every_code_point_folds_to_one_character() -> None:
    assert all(len(fold(chr(code))) == 1 for code in range(sys.maxunicode + 1))
    assert fold("Ｚ") == "z" and fold("９") == "0" and fold("ﬁ") == "ﬁ" and fold("①") == "0"
    assert unicodedata.normalize("NFKC", "①") == "1"


@FACES
@given(st.text(st.sampled_from("的中ab1 \u0301\u3000国A２"), max_size=30), st.sampled_from([2, 256, 1 << 15]))
def test_bigrams_hash_pairs(face: ModuleType, text: str, buckets: int) -> None:
    def expected(before: int, now: int) -> int:
        return ((now * 0x9E3779B1 + before * 0x85EBCA77) % 2**32) * buckets // 2**32

    identities, bigrams, _ = face.character_inputs(text, TABLE, buckets)
    pairs = zip([0, *identities.tolist()], identities.tolist())
    assert bigrams.tolist() == [expected(a, b) for a, b in pairs]


@given(st.text(st.characters()))
def test_faces_agree(text: str) -> None:
    ours, theirs = (face.character_inputs(text, TABLE, 1 << 12) for face in (native, reference))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs))
    assert [getattr(a, "dtype", None) for a in ours] == [getattr(a, "dtype", None) for a in theirs]


@FACES
def test_inside_words(face: ModuleType) -> None:
    found = face.character_inputs("ab1 2c\u0301的\u0301 \u030122", TABLE, 2)[2]
    assert np.flatnonzero(found).tolist() == [1, 6, 8, 12]
    assert face.character_inputs("的a中 7国", TABLE, 2)[2] is None
    assert prepare("的\U0001f44d\U0001f3fd", TABLE, 2)[2].tolist() == [False, False, True]


@FACES
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
def test_wrong_inputs(face: ModuleType, text: object, table: object, buckets: object, code: str) -> None:
    with pytest.raises(KernelError) as error:
        face.character_inputs(text, table, buckets)
    assert error.value.code == code


@FACES
@pytest.mark.parametrize("starts,ends", [([0], [4]), ([-1], [1]), ([1], [1]), ([0, 1], [2])])
def test_words_beyond_the_text(face: ModuleType, starts: list[int], ends: list[int]) -> None:
    with pytest.raises(KernelError, match="bad_words"):
        face.lexicon_features(3, np.array(starts, np.int32), np.array(ends, np.int32))
    with pytest.raises(KernelError, match="bad_words"):
        face.lexicon_features(3, starts, ends)


@st.composite
def matches(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    size = draw(st.integers(1, 12))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(1, size)).filter(lambda m: sum(m) <= size)
    return size, draw(st.lists(pairs, max_size=12, unique=True))


@FACES
@given(matches())
def test_lexicon_features(face: ModuleType, case: tuple[int, list[tuple[int, int]]]) -> None:
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
    result = face.lexicon_features(size, starts, ends)
    assert result.tolist() == expected and result.dtype == np.int32
    assert result.max(initial=0) < LEXICON_FEATURES


@given(st.text(st.sampled_from("a:/.w@-\u200d\ufe0f😀🇨的 "), max_size=60))
def test_unbreakable_stretches_are_in_order(text: str) -> None:
    spans = [0, *(place for span in unbreakable(text) for place in span), len(text)]
    assert spans == sorted(spans)
    assert all(" " not in text[a:b] for a, b in unbreakable(text))
