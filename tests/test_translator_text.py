"""Queries as tokens: normal form, brand lists, slots."""

from __future__ import annotations

import gzip
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.brands import LONGEST_BRAND, BrandList, as_brands
from edge_sdk.decoding.shortlist import Shortlist
from edge_sdk.errors import BundleError, InputError
from edge_sdk.query_text import normalise
from edge_sdk.query_tokenizer import END, FIRST_SLOT, SLOTS, UNKNOWN, QueryTokenizer
from models.query_translator.shortlist import lexical_table
from tests.data.tiny_translator import BRANDS, LETTERS, tokenizer, tokenizer_json

ALPHABET = st.text(st.sampled_from("ab tel lal\t\u00a0Ａé,!?'\u2019🙂\ud800"), max_size=20)


@pytest.fixture(scope="module")
def words() -> QueryTokenizer:
    return tokenizer()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Sasta\tTEL \n", "sasta tel"),
        ("tel, chawal!", "tel , chawal !"),
        ("9:30 p.m. 1,000", "9:30 p.m. 1,000"),
        ("ＡＢＣ　１２", "abc 12"),
        ("daadi\u2019s", "daadi's"),
        ("a\x00b\x7fc\u200bd", "a b c d"),
        ("?", "?"),
        ("\ud800", "\ufffd"),
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(ALPHABET)
def test_the_normal_form_is_normal(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert "  " not in once and once == once.strip() == once.lower()
    assert all(c == " " or unicodedata.category(c)[0] not in "CZ" for c in once)


@given(st.lists(st.sampled_from(["a", "b", "a b", "b c", "a b c", "c"]), max_size=4), st.text("abc ", max_size=12))
def test_brands_are_the_longest_whole_words(names: list[str], text: str) -> None:
    """Against a search that tries every run of words."""
    text = normalise(text)
    found, left = [], text.split(" ") if text else []
    while left:
        size = next((n for n in range(len(left), 0, -1) if " ".join(left[:n]) in names), 0)
        found.append((" ".join(left[: size or 1]), size > 0))
        left = left[size or 1 :]
    assert list(BrandList(names).split(text)) == found


@given(st.text(LETTERS + "  ", max_size=30))
def test_known_characters_come_back(text: str) -> None:
    words, text = tokenizer(), normalise(text)
    source = words.encode(text)
    assert source.slots == ()
    assert words.decode(source.ids) == text


@given(st.text(LETTERS + "  éЖ🙂", max_size=30))
def test_what_fits_into_slots_comes_back(text: str) -> None:
    words, text = tokenizer(), normalise(text)
    source = words.encode(text)
    assert len(source.slots) <= SLOTS
    if UNKNOWN not in source.ids:
        assert words.decode(source.ids, source.slots) == text


def test_brands_and_slots(words: QueryTokenizer) -> None:
    first = words.encode("kwality walls").ids
    assert len(first) == 1 and words.encode("kwality").ids != first
    assert words.encode("kwality wall").ids[0] == words.encode("kwality").ids[0]
    assert len(words.encode("daburs").ids) > 1  # no part of a word
    own = BrandList.of(["Foo Bar", "dabur"])
    source = words.encode("foo bar dabur é ü tel", own)
    assert source.slots == ("foo bar", "é ü")  # brands apart, words together
    assert source.ids[:1] == [FIRST_SLOT] and source.ids[1:2] == words.encode("dabur").ids
    many = words.encode(" ".join("é tel" for _ in range(SLOTS + 2)))
    assert len(many.slots) == SLOTS and many.ids.count(UNKNOWN) == 2
    assert words.decode([FIRST_SLOT, FIRST_SLOT + 1, END], ("é",)) == "é"


def test_brands_of_the_bundle_without_a_token_take_slots() -> None:
    known = QueryTokenizer(tokenizer_json(), [*BRANDS, "zyxxo"], 200, len(BRANDS))
    source = known.encode("zyxxo dabur")
    assert source == ([FIRST_SLOT, 200], ("zyxxo",))
    assert known.decode(source.ids, source.slots) == "zyxxo dabur"


def test_brand_files(tmp_path: Path) -> None:
    path = tmp_path / "brands.txt"
    path.write_bytes("\ufeffbrand\r\nDabur\t12\r\n\r\n DABUR \r\nKwality  Walls\n".encode())
    assert BrandList.load(path).names == ("dabur", "kwality walls")
    packed = tmp_path / "brands.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert as_brands(packed).names == ("dabur", "kwality walls")
    path.write_text("")
    assert len(as_brands(str(path))) == 0
    assert list(as_brands([]).split("a b")) == [("a", False), ("b", False)]


def test_a_list_of_100_000_rows(tmp_path: Path, words: QueryTokenizer) -> None:
    path = tmp_path / "many.txt"
    path.write_text("".join(f"brand {i} x{i % 7}\n" for i in range(100_000)))
    brands = BrandList.load(path)
    assert len(brands) == 100_000
    assert words.encode("tel brand 99999 x4 tel", brands).slots == ("brand 99999 x4",)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"ok\nD\xe4bur\n", "brands_encoding"),
        (b"ok\n" + b"x" * (LONGEST_BRAND + 1), "brands_name"),
        (b"ok\n\x00\n", "brands_name"),
    ],
)
def test_wrong_brand_files_name_the_line(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "brands.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"brands.txt:2") as caught:
        BrandList.load(path)
    assert caught.value.code == code


def test_wrong_brand_arguments() -> None:
    for value in (5, b"dabur", None):
        with pytest.raises(InputError) as caught:
            as_brands(value)  # type: ignore[arg-type]
        assert caught.value.code == "brands_type"
    with pytest.raises(InputError, match=r"brands\[1\]"):
        BrandList.of(["ok", 5])  # type: ignore[list-item]
    with pytest.raises(InputError) as caught:
        as_brands("/nowhere/brands.txt")
    assert caught.value.code == "brands_unreadable"


def test_models_with_the_same_brand_twice_are_refused() -> None:
    with pytest.raises(BundleError):
        QueryTokenizer(tokenizer_json(), [*BRANDS, BRANDS[0]], 100)


def test_the_lexical_table_finds_a_dictionary() -> None:
    """Token i gives i + 20, in another order; 12 gives nothing, 49 follows from any source."""
    draws = [[13 + (7 * n + 3 * k) % 11 for k in range(2 + n % 3)] for n in range(60)]
    pairs = [
        ([*[12] * (n % 2), *source, END], [*(i + 20 for i in reversed(source)), 49, END])
        for n, source in enumerate(draws)
    ]
    table = Shortlist(*lexical_table(pairs, 50))
    source = [12, 13, 17, 20]
    assert table.guess(source) == [33, 37, 40]
    assert {33, 37, 40, 49, END, *source} <= set(table.candidates([*source, END]).tolist())
    assert table.guess([45]) == [45]  # never seen: a copy
