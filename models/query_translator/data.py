"""What the data folder gives: code-mixed sentence pairs, English sentences, brands and products."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from edge_sdk.query_text import normalise
from models.query_translator.lexicon import Entry, read_lexicon
from models.query_translator.queries import World, product_name, unique_spellings

MORE_BRANDS = Path(__file__).with_name("brands.txt")
EVERYDAY = 2
"""A brand whose name occurs so often in everyday sentences is an ordinary word, not a brand."""


class Pair(NamedTuple):
    """A normalised sentence and its translation, with the parses of both where there are any."""

    source: str
    target: str
    source_parse: str = ""
    target_parse: str = ""


def read_pairs(folder: Path, split: str) -> list[Pair]:
    """`hinglish_top`, split "train" or "validation". Raises OSError."""
    rows = read_rows(folder / "hinglish_top" / f"{split}.tsv.gz")
    return [
        Pair(normalise(r["hinglish"]), normalise(r["english"]), r["cs_parse"], r["en_parse"])
        for r in rows
    ]


def read_english(folder: Path, without: Sequence[str] = ()) -> list[tuple[str, str, list[str]]]:
    """MTOP's English training sentences: (normalised tokens, intent, slot tags).

    Sentences of `without` are left out, whatever their punctuation: hinglish_top was translated
    from the same collection, and its validation targets must not be trained on.
    """
    hidden = {_letters(text) for text in without}
    found = []
    for row in read_rows(folder / "mtop" / "en" / "train.tsv.gz"):
        if _letters(row["tokens"]) not in hidden:
            found.append((normalise(row["tokens"]), row["intent"], row["slot_tags"].split(" ")))
    return found


def read_world(folder: Path, everyday: Sequence[str]) -> World:
    """Brands, products and the lexicon. `everyday` are sentences that tell which brand names are
    ordinary words ("again", "for me"): these are no brands here, and are copied as words."""
    entries = unique_spellings(e for e in read_lexicon() if e.kind not in ("general", "function"))
    names = [normalise(row["brand"]) for row in read_rows(folder / "grocery_in" / "brands.tsv")]
    names += MORE_BRANDS.read_text(encoding="utf-8").split("\n")
    brands = proper_brands([n for n in dict.fromkeys(names) if n], everyday, entries)
    known = set(brands)
    products = set()
    for row in read_rows(folder / "grocery_in" / "products.tsv.gz"):
        name, brand = product_name(row["product"]), normalise(row["brand"])
        if name and not name.isdigit():
            products.add((brand if brand in known else "", name))
    for row in read_rows(folder / "grocery_in" / "slash_aliases.tsv"):
        products.update(("", name) for name in (product_name(n) for n in next(iter(row.values())).split("/")) if name)
    return World(entries, brands, sorted(products))


def proper_brands(names: Sequence[str], everyday: Sequence[str], entries: Sequence[Entry]) -> list[str]:
    """Names less those that are ordinary words or phrases."""
    words = {e.english for e in entries} | {s for e in entries for s in e.spellings}
    grams: Counter[str] = Counter()
    for text in everyday:
        found = text.split(" ")
        for size in (1, 2, 3):
            grams.update(" ".join(found[i : i + size]) for i in range(len(found) - size + 1))
    return sorted(n for n in names if n not in words and grams[n] < EVERYDAY and len(n) > 1)


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a TSV file with a header line, gzipped or plain, without quoting. Raises OSError."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
