"""The translator's data: lexicon, mistakes, recombination, generated queries, token ids."""

from pathlib import Path
from random import Random

import pytest

pytest.importorskip("torch")

from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.query_tokenizer import BEGIN, END, FIRST_SLOT, QueryTokenizer
from models.query_translator import misspell
from models.query_translator.data import Pair, proper_brands
from models.query_translator.examples import Batches, Mixture, encode_pair, with_slots
from models.query_translator.lexicon import Entry, read_lexicon
from models.query_translator.queries import (
    Generator,
    World,
    heldout_split,
    product_name,
    unique_spellings,
)
from models.query_translator.recombine import (
    Recombination,
    WordMixer,
    slots_of,
    tagged_phrases,
    template,
)
from models.query_translator.vocabulary import pieces, train_tokenizer

ENTRIES = [
    Entry("food", "rice", ("chawal", "chaval", "chaawal")),
    Entry("food", "oil", ("tel", "tail", "teil")),
    Entry("kept", "atta", ("atta", "ata", "aata")),
    Entry("quality", "cheap", ("sasta", "saste", "sasti")),
    Entry("colour", "red", ("lal", "laal")),
    Entry("person", "kids", ("bachche", "baccho")),
    Entry("purpose", "hair", ("baal", "bal")),
    Entry("amount", "two", ("do", "doo")),
]
BRANDS = ["dabur", "kwality walls", "wagh bakri", "mdh", "nirma", "vim", "hajmola", "rin", "surf", "amul"]
PRODUCTS = [("dabur", "honey"), ("", "hand wash"), ("amul", "salted butter"), ("", "basmati rice")]
WORLD = World(ENTRIES, BRANDS, PRODUCTS)


def tokenizer() -> QueryTokenizer:
    texts = [w for e in ENTRIES for w in (e.english, *e.spellings)] + [n for _, n in PRODUCTS]
    return QueryTokenizer(train_tokenizer(texts * 3 + ["ke liye for and aur"] * 3, 120), BRANDS, 120)


def test_the_lexicon_covers_the_words_of_a_grocery() -> None:
    entries = read_lexicon()
    assert len(entries) > 900
    known = {spelling: e.english for e in reversed(entries) for spelling in e.spellings}
    wanted = {
        "chawal": "rice", "tel": "oil", "sasta": "cheap", "lal": "red", "haldi": "turmeric", "jeera": "cumin",
        "namkeen": "namkeen", "ata": "atta", "pyaj": "onion", "sabun": "soap", "machhar": "mosquito",
    }  # fmt: skip
    assert {word: known.get(word) for word in wanted} == wanted
    assert len({(e.kind, e.english) for e in entries}) == len(entries)


def test_a_bad_lexicon_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("[food]\nrice = chawal\noil tel\n", encoding="utf-8")
    with pytest.raises(ValueError, match="words.txt:3"):
        read_lexicon(path)


def test_a_spelling_belongs_to_one_word_only() -> None:
    first, second = unique_spellings([Entry("a", "one", ("x", "y")), Entry("b", "two", ("y", "z"))])
    assert (first.spellings, second.spellings) == (("x", "y"), ("z",))


@given(st.text("abcdefgh", min_size=4, max_size=12), st.integers(0, 99))
def test_char_drop_keeps_the_ends(word: str, seed: int) -> None:
    found = misspell.char_drop(word, Random(seed))
    assert len(found) == len(word) - 1
    assert (found[0], found[-1]) == (word[0], word[-1])
    assert any(word[:i] + word[i + 1 :] == found for i in range(1, len(word) - 1))


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12), st.integers(0, 999))
def test_mistakes_stay_close_to_the_word(word: str, seed: int) -> None:
    found = misspell.misspell(word, Random(seed))
    assert abs(len(found) - len(word)) <= 6 and found and " " not in found
    if len(word) < 3:
        assert found == word


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("ashirwaad", "asirwaad"), ("milky fresh", "milky freh"), ("dettol", "detol"), ("fit me", "fitme")],
)
def test_the_mistakes_of_the_papers_examples_can_happen(right: str, wrong: str) -> None:
    random = Random(0)
    made = {misspell.misspell_phrase(right, random, 0.4) for _ in range(4000)}
    made |= {" ".join(misspell.char_drop(w, random) for w in right.split()) for _ in range(100)}
    made |= {" ".join([*right.split()[:-1], misspell.char_drop(right.split()[-1], random)]) for _ in range(100)}
    assert wrong in made


SOURCE = "[IN:CREATE_ALARM [SL:DATE_TIME kal subah ke liye ] alarm set karo ]"
TARGET = "[IN:CREATE_ALARM Set an alarm [SL:DATE_TIME for tomorrow morning ] ]"
OTHER = Pair(
    "mujhe denver ka mausam batao", "tell me the weather in denver",
    "[IN:GET_WEATHER mujhe [SL:LOCATION [IN:GET_LOCATION Denver ] ] ka mausam [SL:DATE_TIME aaj ] batao ]",
    "[IN:GET_WEATHER tell me the weather in [SL:LOCATION [IN:GET_LOCATION Denver ] ] [SL:DATE_TIME today ] ]",
)  # fmt: skip


def test_slots_are_the_outermost_phrases() -> None:
    assert slots_of(OTHER.source_parse) == [
        "mujhe", ("SL:LOCATION", "denver"), "ka", "mausam", ("SL:DATE_TIME", "aaj"), "batao"
    ]  # fmt: skip
    found = template(Pair("", "", SOURCE, TARGET))
    assert found is not None
    assert found.source == (0, "alarm", "set", "karo") and found.target == ("set", "an", "alarm", 0)
    assert template(Pair("", "", SOURCE, "[IN:X set [SL:TODO it ] ]")) is None


def test_recombination_exchanges_phrases_on_both_sides() -> None:
    made = Recombination([Pair("", "", SOURCE, TARGET), OTHER], [], Random(1))
    found = {made.draw() for _ in range(60)}
    assert ("aaj alarm set karo", "set an alarm today") in found
    assert ("mujhe denver ka mausam kal subah ke liye batao", "tell me the weather in denver for tomorrow morning") in found
    assert len(found) == 4  # two alarms, two weathers


def test_english_phrases_come_from_tags() -> None:
    rows = [("play jazz by miles davis", "IN:PLAY", ["O", "B-GENRE", "O", "B-ARTIST", "I-ARTIST"])]
    assert tagged_phrases(rows) == [("SL:GENRE", "jazz"), ("SL:ARTIST", "miles davis")]


def test_words_become_hindi_only_where_the_target_keeps_them() -> None:
    mixer = WordMixer(ENTRIES, Random(2))
    found = {mixer.mix("mujhe rice do", "give me rice", hindi=1.0) for _ in range(200)}
    assert found == {f"mujhe {word} {two}" for word in ENTRIES[0].spellings for two in ("do", "doo")}
    assert mixer.mix("oil wala", "rice", hindi=1.0, variant=0.0) == "oil wala"


def test_ordinary_words_are_no_brands() -> None:
    everyday = ["call me again", "do it again for me", "a song for me"]
    assert proper_brands(["again", "amul", "for me", "tel"], everyday, ENTRIES) == ["amul"]


def test_product_names_lose_what_nobody_types() -> None:
    assert product_name("Cow Ghee/Tuppa - Pure, 1 L") == "cow ghee"
    assert product_name("Hair Oil (Pack of 2), 200 ml") == "hair oil"


def test_generated_queries_show_the_four_cases() -> None:
    generator = Generator(WORLD, Random(4))
    queries = [generator.draw() for _ in range(5000)]
    assert {q.case for q in queries} == {1, 2, 3, 4}
    for query in queries:
        assert (query.case == 1) <= (query.source == query.target)
        if query.brand:
            assert query.brand in query.target and query.brand_written in query.source
        else:
            assert query.case != 4
    pairs = {q[:2] for q in queries}
    lines = {t for s, t in pairs if s.endswith("lal tel") and t.split(" lal oil")[0] in BRANDS}
    assert len(lines) > 5  # a product line of some brand, no colour
    assert any("ke liye" in s and t.endswith("for kids") for s, t in pairs)
    again = Generator(WORLD, Random(4))
    assert [again.draw() for _ in range(100)] == queries[:100]


def test_the_heldout_world_is_new() -> None:
    train, heldout = heldout_split(WORLD, 0.3, Random(1))
    assert set(train.brands).isdisjoint(heldout.brands) and heldout.brands
    assert {n for _, n in train.products}.isdisjoint(n for _, n in heldout.products)
    known = {s for e in train.entries for s in e.spellings}
    unseen = {s for e in heldout.entries for s in e.spellings}
    assert unseen and known.isdisjoint(unseen)
    assert known >= {e.spellings[0] for e in ENTRIES}


def test_pieces_never_join_letters_digits_and_marks() -> None:
    assert pieces("8:30 pm") == ["▁8", ":", "3", "0", "▁pm"]


def test_ids_come_back_as_text_with_brands_as_one_token() -> None:
    tok = tokenizer()
    found = encode_pair(tok, "sasta dabur tel", "cheap dabur oil")
    assert found is not None and found.source[-1] == found.target[-1] == END
    brand = 120 + BRANDS.index("dabur")
    assert brand in found.source and brand in found.target
    assert tok.decode(found.target[:-1]) == "cheap dabur oil"


def test_copy_slots_agree_on_both_sides() -> None:
    tok = tokenizer()
    found = encode_pair(tok, "\ue000 tel aur \ue001", "\ue001 and \ue000 oil")
    assert found is not None
    assert [i for i in found.source if FIRST_SLOT <= i < FIRST_SLOT + 8] == [FIRST_SLOT, FIRST_SLOT + 1]
    assert [i for i in found.target if FIRST_SLOT <= i < FIRST_SLOT + 8] == [FIRST_SLOT + 1, FIRST_SLOT]
    assert encode_pair(tok, "tel", "oil \ue000") is None  # nothing to copy from


@given(st.integers(0, 200))
def test_slotted_pairs_can_be_undone(seed: int) -> None:
    source, target = "nirma powder ke liye bucket 5", "bucket for nirma powder 5"
    one, other = with_slots(source, target, Random(seed), ["nirma"])
    marks = [c for c in one if ord(c) >= 0xE000]
    assert sorted(marks) == sorted(c for c in other if ord(c) >= 0xE000) and marks
    originals = [a for a, b in zip(source.split(), one.split()) if a != b]
    for mark, word in zip([b for a, b in zip(source.split(), one.split()) if a != b], originals):
        other = other.replace(mark, word)
    assert other == target


def test_batches_hold_all_terms_and_repeat_with_the_seed() -> None:
    tok = tokenizer()

    def batches() -> list[tuple[list[int], ...]]:
        generator = Generator(WORLD, Random(5))
        mixture = Mixture(Random(6), [(1.0, lambda: generator.draw()[:2])], BRANDS)
        return [tuple(t.tolist() for t in batch) for batch in Batches(mixture, tok, (6, 4, 2), 20)()]

    found = batches()
    assert len(found) == 20
    assert all(term == [0] * 6 + [1] * 4 + [2] * 2 for *_, term in found)
    assert found == batches()
    for _, target_in, target, term in found:
        for row_in, row in zip(target_in, target):
            length = row.index(END)
            assert row_in[: length + 1] == [BEGIN, *row[:length]]
        brand_targets = [row[0] for row, t in zip(target, term) if t == 2]
        assert all(120 <= token < 130 for token in brand_targets)
