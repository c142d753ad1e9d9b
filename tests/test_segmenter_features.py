"""Characters as numbers: folding, classes, and what is never cut."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.characters import fold, identity_table, plain_text, prepare, vocabulary
from edge_sdk.kernels.identities import DIGIT, EDGE, HAN, LETTER, MARK, SYMBOL
from edge_sdk.unbreakable import unbreakable

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


def test_marks_beyond_the_basic_plane_never_begin_a_word() -> None:
    assert prepare("的\U0001f44d\U0001f3fd", TABLE, 2)[2].tolist() == [False, False, True]


@given(st.text(st.sampled_from("a:/.w@-\u200d\ufe0f😀🇨的 "), max_size=60))
def test_unbreakable_stretches_are_in_order(text: str) -> None:
    spans = [0, *(place for span in unbreakable(text) for place in span), len(text)]
    assert spans == sorted(spans)
    assert all(" " not in text[a:b] for a, b in unbreakable(text))
