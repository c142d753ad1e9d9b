"""Misspelled brands: the paper's examples, any list, and what must stay as it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.brand_spelling import BrandSpelling, similarity, sound
from edge_sdk.brands import BrandList

BRANDS = [
    "aashirvaad", "dabur", "dabur gulab jal", "emami", "daadi's", "gowardhan", "dettol", "farmley", "veer",
    "all out", "kwality walls", "navratna", "fit me", "colgate", "brooke bond taaza", "fiama", "kesar", "vim",
]  # fmt: skip
WORDS = {
    "ata", "lal", "tel", "rice", "brand", "oil", "peanut", "desi", "ghee", "original", "all", "product",
    "mosquito", "refill", "ice", "cream", "ka", "face", "powder", "gulab", "jal", "1", "litre", "offer", "tea",
    "soap", "kesar", "ki", "ke", "liye", "sabi", "taja",
}  # fmt: skip
SPELLING = BrandSpelling(BrandList(BRANDS), {word: word for word in WORDS})


@pytest.mark.parametrize(
    ("written", "right"),
    [  # Tables 1 and 4 of the paper
        ("asribad ata", "aashirvaad ata"),
        ("dabber lal tel", "dabur lal tel"),
        ("emni rice brand oil", "emami rice brand oil"),
        ("daadis peanut khakra", "daadi's peanut khakra"),
        ("goverdhan desi ghee", "gowardhan desi ghee"),
        ("detol original", "dettol original"),
        ("farnely all product", "farmley all product"),
        ("nabrtan tel", "navratna tel"),
        ("fitme ka face powder", "fit me ka face powder"),
        ("colgeat offer", "colgate offer"),
        ("boork bond taja tea", "brooke bond taaza tea"),
    ],
)
def test_the_papers_misspellings(written: str, right: str) -> None:
    assert SPELLING.correct(written) == right


@pytest.mark.parametrize(
    "text",
    [
        "", "dabur gulab jal 1 litre", "ice cream kwality walls", "all out mosquito refill", "veer brand oil",
        "lal tel", "sabi oil", "zzyzx qwrtp", "12345 99", "🍅 🍅", "vi", "kwality walls ke liye",
    ],
)  # fmt: skip
def test_right_brands_known_words_and_strange_ones_stay(text: str) -> None:
    assert SPELLING.correct(text) == text


def test_known_words_are_never_brands() -> None:
    assert BrandSpelling(BrandList(BRANDS), {}).correct("dabber") == "dabur"
    assert BrandSpelling(BrandList(BRANDS), {"dabber": "dabber"}).correct("dabber") == "dabber"


def test_of_two_brands_as_near_none_is_taken() -> None:
    assert BrandSpelling(BrandList(["ramson", "ramsen"]), {}).correct("ramsan") == "ramsan"


def test_a_run_of_words_takes_no_known_word_at_its_ends() -> None:
    assert SPELLING.correct("ka kwalty wals ka") == "ka kwality walls ka"


@given(st.sampled_from([name for name in BRANDS if len(sound(name)) > 2]), st.data())
def test_a_vowel_less_or_a_letter_doubled_is_put_right(name: str, data: st.DataObject) -> None:
    places = [i for i in range(1, len(name) - 1) if name[i].isalpha()]
    at = data.draw(st.sampled_from(places))
    doubled = name[:at] + name[at] + name[at:]
    assert BrandSpelling(BrandList([name]), {}).correct(doubled) == name
    if name[at] in "aeiou":
        assert BrandSpelling(BrandList([name]), {}).correct(name[:at] + name[at + 1 :]) == name


@given(st.text("abcdefghijklmnopqrstuvwxyz' 0", max_size=30))
def test_any_text_keeps_or_gains_brands_only(text: str) -> None:
    text = re.sub(" +", " ", text).strip()
    found = SPELLING.correct(text)
    new = [part for part, is_brand in BrandList(BRANDS).split(found) if is_brand]
    assert set(re.sub("|".join(map(re.escape, sorted(new, key=len, reverse=True))) or "$^", "", found).split()) <= set(
        text.split()
    )


def naive_distance(one: str, other: str) -> int:
    """Optimal string alignment by its recursion."""
    if not one or not other:
        return len(one) + len(other)
    found = min(
        naive_distance(one[1:], other) + 1,
        naive_distance(one, other[1:]) + 1,
        naive_distance(one[1:], other[1:]) + (one[0] != other[0]),
    )
    if len(one) > 1 and len(other) > 1 and one[0] == other[1] and one[1] == other[0]:
        found = min(found, naive_distance(one[2:], other[2:]) + 1)
    return found


@given(st.text("abc", min_size=1, max_size=5), st.text("abc", min_size=1, max_size=5))
def test_similarity_is_the_distance_by_the_longer_length(one: str, other: str) -> None:
    assert similarity(one, other) == pytest.approx(1 - naive_distance(one, other) / max(len(one), len(other)))


def test_skeletons() -> None:
    assert sound("aashirvaad") == sound("asribad") == "asrbd"
    assert sound("navratna") == sound("nabrtan")
    assert sound("fit me") == sound("fitme") == sound("phitme")


def test_known_variants_get_their_common_spelling_but_brands_stay() -> None:
    spelling = BrandSpelling(BrandList(["ata"]), {"ata": "atta", "aata": "atta", "tel": "tel"})
    assert spelling.correct("ata aata tel") == "ata atta tel"
