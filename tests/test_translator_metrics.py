"""BLEU and exact match against sacrebleu, and against sums done by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.evaluate.translator import corpus_bleu, tokens_13a, translation_metrics

LINES = [
    ("cheap dabur lal oil", "cheap dabur lal oil"),
    ("fit me face powder", "fit me face powder offer"),
    ("Daadi's peanut khakra, 1.5kg", "daadi's peanut khakhra , 1.5 kg"),
    ("message danny and see if he wants to go", "message danny & see if he wants to go to comic con"),
    ("set an alarm for 9 : 30 am", "set alarm for 9:30 am"),
    ("", "oil"),
    ("a b c", ""),
]
TEXT = st.text(st.sampled_from("ab19 .,-'&;<>\"/$[]{}()\n\u0915é"), max_size=14)


def test_by_hand() -> None:
    """Three of four words, one of three pairs (clipped), no triple, no quadruple, and too short."""
    # matches 3 1 0 0 of 4 3 2 1; smoothed to 3/4, 1/3, (1/2)/2, (1/4)/1; brevity exp(1 - 6/4)
    expected = 100 * math.exp(-0.5) * (3 / 4 * 1 / 3 * 1 / 4 * 1 / 4) ** 0.25
    assert corpus_bleu([["a", "b", "x", "c"]], [["a", "b", "c", "d", "e", "f"]]) == pytest.approx(expected)
    assert corpus_bleu([["a", "b", "c", "d"]], [["a", "b", "c", "d"]]) == pytest.approx(100)
    assert corpus_bleu([["a", "b", "c", "d"]], [["e", "f", "g", "h"]]) == 0


def test_equals_sacrebleu_on_lines() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    found, expected = zip(*LINES)
    golden = sacrebleu.corpus_bleu(list(found), [list(expected)], lowercase=True).score
    metrics = translation_metrics(found, expected)
    assert metrics["bleu"] == pytest.approx(golden)
    assert metrics["exact_match"] == pytest.approx(100 / len(LINES))
    assert metrics["rows"] == len(LINES)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6))
def test_equals_sacrebleu_on_anything(pairs: list[tuple[str, str]]) -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    found, expected = zip(*pairs)
    golden = sacrebleu.corpus_bleu(list(found), [list(expected)], lowercase=True).score
    assert translation_metrics(found, expected)["bleu"] == pytest.approx(golden, abs=1e-9)


@given(TEXT)
def test_tokens_equal_those_of_sacrebleu(text: str) -> None:
    tokenizers = pytest.importorskip("sacrebleu.tokenizers.tokenizer_13a")
    assert tokens_13a(text) == tokenizers.Tokenizer13a()(text).split()
