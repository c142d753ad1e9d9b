"""Splitting into words, and the form in which models see them."""

from __future__ import annotations

import csv
import gzip
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.text import normalise_word, split_words

MTOP = Path(__file__).parent.parent.parent / "shared" / "data" / "mtop" / "en"

# Texts in which the splitter's rules meet: any character, and many of those that it treats apart.
TEXTS = st.text(
    st.one_of(
        st.characters(),
        st.characters(categories=["Cs"]),
        st.sampled_from("aAsSmMpP'’.,0 9\u0301\u200d\ufe0f👩🏽🇬🇧東に\0\u00a0-@_"),
    )
)


def words(text: str) -> list[str]:
    return [word.text for word in split_words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # MTOP's own tokens
        ("What's the weather?", ["What", "'s", "the", "weather", "?"]),
        ("Don't call destiny's mom.", ["Don't", "call", "destiny", "'s", "mom", "."]),
        ("wake me at 7:30pm", ["wake", "me", "at", "7", ":", "30", "pm"]),
        ("alarm for 7 a.m.", ["alarm", "for", "7", "a.m", "."]),
        ("October 15th, 12noon", ["October", "15th", ",", "12noon"]),
        ("radio 92.1", ["radio", "92.1"]),
        ("a wake-up 'call'", ["a", "wake", "-", "up", "'", "call", "'"]),
        # other scripts
        ("कैमिला को कॉल करें", ["कैमिला", "को", "कॉल", "करें"]),
        ("明日7時に起こして", ["明", "日", "7", "時", "に", "起", "こ", "し", "て"]),
        ("コーヒーを買う", ["コーヒー", "を", "買", "う"]),
        ("שלום עולם!", ["שלום", "עולם", "!"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("전화해 줘", ["전화해", "줘"]),
        ("１２：３０ ＡＭ", ["12", ":", "30", "AM"]),
        # emoji: modifiers, joiners, flags, keycaps, tags
        ("👩‍👩‍👧👍🏽", ["👩‍👩‍👧", "👍🏽"]),
        ("🇬🇧🇫🇷", ["🇬🇧", "🇫🇷"]),
        ("7️⃣ ❤️‍🔥🙂‍↔️", ["7️⃣", "❤️‍🔥", "🙂‍↔️"]),
        ("🏴\U000e0067\U000e0062\U000e007f!", ["🏴\U000e0067\U000e0062\U000e007f", "!"]),
        # nothing
        ("", []),
        (" \t\r\n\u00a0\u3000\0\x1f", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_a_curly_apostrophe_is_a_straight_one() -> None:
    assert words("I don’t like Dean’s") == words("I don't like Dean's")


@given(TEXTS)
def test_words_cover_the_text_in_order(text: str) -> None:
    end = 0
    for word in split_words(text):
        assert end <= word.start < word.end
        assert separates(text[end : word.start])
        assert word.text == normalise_word(text[word.start : word.end])
        end = word.end
    assert separates(text[end:])


def separates(between: str) -> bool:
    return all(c.isspace() or unicodedata.category(c) == "Cc" for c in between)


@given(TEXTS, TEXTS)
def test_what_stands_beyond_a_space_changes_nothing(left: str, right: str) -> None:
    moved = [(w.text, w.start + len(left) + 1, w.end + len(left) + 1) for w in split_words(right)]
    assert split_words(f"{left} {right}") == split_words(left) + moved


@given(st.text(st.characters(categories=["L", "N"], max_codepoint=0x2FF), min_size=1))
def test_combining_marks_stay_with_their_base(word: str) -> None:
    decomposed = unicodedata.normalize("NFD", word)
    assert words(decomposed) == words(unicodedata.normalize("NFC", word))


@given(TEXTS)
def test_normal_form_is_final_and_valid(word: str) -> None:
    normal = normalise_word(word)
    assert normalise_word(normal) == normal
    normal.encode("utf-8")  # no surrogate is left
    assert bool(normal) == bool(word)


def test_surrogates_are_replaced_one_for_one() -> None:
    assert split_words("a \ud800\udfff b") == [("a", 0, 1), ("\ufffd", 2, 3), ("\ufffd", 3, 4), ("b", 5, 6)]


@pytest.mark.parametrize("piece", ["a", "ab ", "a'", "'s", "0,", "👩\u200d", "\u0301", "7a", "🇬", "東"])
def test_long_texts(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    found = split_words(text)
    assert sum(word.end - word.start for word in found) == len(text.replace(" ", ""))


@pytest.mark.parametrize(("split", "agreement"), [("train", 0.99), ("eval", 0.995)])
def test_agrees_with_the_tokens_of_mtop(split: str, agreement: float) -> None:
    path = MTOP / f"{split}.tsv.gz"
    if not path.exists():
        pytest.skip("the MTOP data is not beside the project")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    same = [
        words(row["utterance"]) == [normalise_word(token) for token in row["tokens"].split(" ")]
        for row in rows
    ]
    assert sum(same) / len(same) >= agreement
