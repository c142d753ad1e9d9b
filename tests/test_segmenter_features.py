"""Characters and lexicon features against slow definitions."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.characters import (
    DIGIT,
    EDGE,
    HAN,
    LETTER,
    MARK,
    SYMBOL,
    bigrams,
    fold,
    identify,
    identity_table,
    inside_words,
    plain_text,
    vocabulary,
)
from edge_sdk.lexicon_features import LONGEST, SIZE, lexicon_features
from edge_sdk.unbreakable import unbreakable

NAMES = vocabulary("的中国，")
TABLE = identity_table(NAMES)


def test_identities_of_classes() -> None:
    text = "的龘aＡ7７ \n\u3000\u0301😀\U00020000\U000e0041я한"
    expected = [
        NAMES.index("的"), HAN, NAMES.index("a"), NAMES.index("a"), DIGIT, DIGIT, EDGE, EDGE, EDGE,
        MARK, SYMBOL, HAN, MARK, LETTER, LETTER,
    ]  # fmt: skip
    assert identify(text, TABLE).tolist() == expected


@given(st.text(st.characters()))
def test_any_text_has_one_identity_a_character(text: str) -> None:
    found = identify(text, TABLE)
    assert found.shape == (len(text),) and found.dtype == np.int32
    assert all(0 <= i < len(NAMES) for i in found.tolist())
    assert identify(text + "a", TABLE)[: len(text)].tolist() == found.tolist()
    assert len(plain_text(text)) == len(text)


def test_every_code_point_folds_to_one_character() -> None:
    assert all(len(fold(chr(code))) == 1 for code in range(sys.maxunicode + 1))
    assert fold("Ｚ") == "z" and fold("９") == "0" and fold("ﬁ") == "ﬁ" and fold("①") == "0"
    assert unicodedata.normalize("NFKC", "①") == "1"


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=30), st.sampled_from([2, 256, 1 << 15]))
def test_bigrams_hash_pairs(identities: list[int], buckets: int) -> None:
    def expected(before: int, now: int) -> int:
        return ((now * 0x9E3779B1 + before * 0x85EBCA77) % 2**32) * buckets // 2**32

    found = bigrams(np.array(identities, np.int32), buckets)
    assert found.tolist() == [expected(a, b) for a, b in zip([0, *identities], identities)]


def test_inside_words() -> None:
    text = "ab1 2c\u0301的\u0301 \u0301"
    found = inside_words(identify(text, TABLE))
    assert found is not None
    assert [i for i, inside in enumerate(found) if inside] == [1, 6, 8]
    assert inside_words(identify("的a中 7国", TABLE)) is None


@st.composite
def matches(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    size = draw(st.integers(1, 12))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(1, size)).filter(lambda m: sum(m) <= size)
    return size, draw(st.lists(pairs, max_size=12, unique=True))


@given(matches())
def test_lexicon_features(case: tuple[int, list[tuple[int, int]]]) -> None:
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
    places = sorted((start, start + length) for start, length in found)
    starts, ends = (np.array([place[k] for place in places], np.int32) for k in (0, 1))
    result = lexicon_features(size, starts, ends)
    assert result.tolist() == expected and result.dtype == np.int32
    assert result.max(initial=0) < SIZE


@given(st.text(st.sampled_from("a:/.w@-\u200d\ufe0f😀🇨的 "), max_size=60))
def test_unbreakable_stretches_are_in_order(text: str) -> None:
    spans = [0, *(place for span in unbreakable(text) for place in span), len(text)]
    assert spans == sorted(spans)
    assert all(" " not in text[a:b] for a, b in unbreakable(text))
