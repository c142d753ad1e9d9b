"""Grocery queries with their translations, made from brands, product names and the lexicon.

All four cases of the behaviour contract come out (paper, section 1): English without errors is
copied, English with errors is corrected, Hinglish without and with a brand is translated with the
brand kept or corrected. A `World` holds the words to make queries of; `heldout_split` gives two
of them that share no brand, no product and, but for the first of each entry, no spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from models.query_translator.lexicon import Entry
from models.query_translator.misspell import misspell, misspell_phrase

PRODUCT_KINDS = ("food", "household", "kept", "english")
KEPT_LINES = (("lal tel", "lal oil"), ("gulab jal", "gulab jal"), ("taza", "taaza"), ("gold", "gold"))
"""Words that a brand's own product line keeps: "dabur lal tel" is no red oil."""
_BRACKETS = re.compile(r"\([^)]*\)|[^a-z0-9&%' .-]")


class Query(NamedTuple):
    """One query and its translation."""

    source: str
    target: str
    case: int
    """1 English, 2 English with errors, 3 Hinglish without brand, 4 Hinglish with brand."""
    brand: str = ""
    """As it must stand in the translation; "" where there is none."""
    brand_written: str = ""
    """As it stands in the source."""


class Part(NamedTuple):
    """A piece of a query."""

    source: str
    target: str
    hindi: bool = False


@dataclass(frozen=True)
class World:
    """What queries are made of."""

    entries: Sequence[Entry]
    brands: Sequence[str]
    products: Sequence[tuple[str, str]]
    """(brand, product name), both normalised; the brand is "" where it is not in `brands`."""

    def of_kind(self, *kinds: str) -> list[Entry]:
        """Entries of some kinds."""
        return [entry for entry in self.entries if entry.kind in kinds]


def product_name(name: str) -> str:
    """The searchable head of a shop's product name: "Cow Ghee/Tuppa - Pure, 1 L" -> "cow ghee"."""
    head = re.split(r" [-+|] |[,/(+]", name.lower())[0]
    words = _BRACKETS.sub(" ", head).split()
    return " ".join(words[:5])


def unique_spellings(entries: Iterable[Entry]) -> list[Entry]:
    """Of a spelling that stands for several English words only the first entry keeps it."""
    taken: set[str] = set()
    kept = []
    for entry in entries:
        rest = tuple(word for word in entry.spellings if word not in taken)
        taken.update(rest)
        if rest:
            kept.append(replace(entry, spellings=rest))
    return kept


def heldout_split(world: World, share: float, random: Random) -> tuple[World, World]:
    """A world for training and one whose brands, products and rarer spellings are in none of its queries."""
    brands = list(world.brands)
    random.shuffle(brands)
    cut = int(len(brands) * share)
    hidden = set(brands[:cut])
    names = sorted({name for _, name in world.products})
    random.shuffle(names)
    hidden_names = set(names[: int(len(names) * share)])
    unseen, train = [], []
    for entry in world.entries:
        rare = [word for word in entry.spellings[1:] if random.random() < share * 2]
        train.append(entry.without(set(rare)))
        if rare:
            unseen.append(replace(entry, spellings=tuple(rare)))
    products = [(b, n) for b, n in world.products if b not in hidden and n not in hidden_names]
    new = [(b if b in hidden else "", n) for b, n in world.products if n in hidden_names]
    return (
        World(train, [b for b in world.brands if b not in hidden], products),
        World(unseen, sorted(hidden), new),
    )


class Generator:
    """Draws queries from a world.

    Args:
        errors: share of words that get spelling mistakes beside the variants of the lexicon.
        brand_errors: share of brands that are misspelled.
    """

    def __init__(
        self, world: World, random: Random, errors: float = 0.06, brand_errors: float = 0.3
    ) -> None:
        self.world, self.random = world, random
        self.errors, self.brand_errors = errors, brand_errors
        self._kinds = {kind: world.of_kind(kind) for kind in {e.kind for e in world.entries}}
        self._products = [e for kind in PRODUCT_KINDS for e in self._kinds.get(kind, [])]

    def draw(self) -> Query:
        """One query."""
        if self.random.random() < 0.25:
            return self._english()
        return self._hinglish()

    def _english(self) -> Query:
        """A product of a shop under its own name, at times with spelling mistakes."""
        brand, name = self.random.choice(self.world.products)
        right = name
        if self.random.random() < 0.4:
            words = [misspell(w, self.random) if self.random.random() < 0.35 else w for w in name.split()]
            name = " ".join(words)
        parts = [Part(name, right)]
        written = ""
        if not brand and self.random.random() < 0.5 and self.world.brands:
            brand = self.random.choice(self.world.brands)
        if brand:
            written = self._written(brand)
            parts.insert(0 if self.random.random() < 0.8 else 1, Part(written, brand))
        return self._query(parts, brand, written)

    def _hinglish(self) -> Query:
        """A query of one of the frames below."""
        random = self.random
        brand = random.choice(self.world.brands) if random.random() < 0.5 else ""
        written = self._written(brand) if brand else ""
        product = self._product()
        named = self._branded(Part(written, brand), product) if brand else [product]
        if random.random() < 0.35:
            quality = self._entry("quality") if random.random() < 0.75 else self._entry("colour")
            at = len(named) - 1 if brand and random.random() < 0.25 else 0
            named.insert(at, quality)
        return self._query(self._frame(named), brand, written)

    def _branded(self, brand: Part, product: Part) -> list[Part]:
        random = self.random
        choice = random.random()
        if choice < 0.05:
            return [brand, Part(*random.choice(KEPT_LINES), hindi=True)]
        if choice < 0.13:
            return [product, brand]
        if choice < 0.3:
            return [brand, Part(random.choice(("ka", "ki", "ke", "wala", "wali", "company ka")), "", True), product]
        return [brand, product]

    def _frame(self, named: list[Part]) -> list[Part]:
        """What surrounds the thing that is wanted."""
        random = self.random
        choice = random.random()
        if choice < 0.42:
            return named
        if choice < 0.54:  # for somebody or something
            whom = self._entry("person" if random.random() < 0.4 else "purpose")
            link = random.choice(("ke liye", "k liye", "ke lie", "keliye", "liye"))
            if random.random() < 0.75:
                return [Part(f"{whom.source} {link}", "", True), *named, Part("", f"for {whom.target}")]
            return [*named, Part(f"{whom.source} {link}", f"for {whom.target}", True)]
        if choice < 0.60:  # hair oil, kids shampoo
            whom = self._entry("person" if random.random() < 0.5 else "purpose")
            link = random.choice((" ka", " ki", " wala", " wali", ""))
            return [Part(whom.source + link, whom.target, whom.hindi or bool(link)), *named]
        if choice < 0.68:
            other = self._product()
            word = random.choice((("aur", "and"), ("or", "and"), ("aur", "and"), ("ya", "or"), ("ke saath", "with")))
            return [*named, Part(*word, hindi=True), other]
        if choice < 0.80:
            return self._measured(named)
        if choice < 0.84:
            other = self._product()
            word = random.choice(("bina {}", "bina {} wala", "bina {} ka", "bina {} ke", "{} ke bina"))
            return [Part(word.format(other.source), "", True), *named, Part("", f"without {other.target}")]
        if choice < 0.87:
            price = random.choice(("50", "100", "150", "200", "300", "500", "999", "1000"))
            word = random.choice(("{} rupaye se kam", "{} rs se kam", "{} rupaye tak", "{} se kam", "{} ke andar"))
            link = random.choice((" wala", " ka", " ki", ""))
            return [Part(word.format(price) + link, "", True), *named, Part("", f"under {price}" + (" rupees" if "r" in word.split()[1] else ""))]
        before, after, english_before, english_after = random.choice(REQUESTS)
        return [
            Part(before, english_before, bool(before)), *named, Part(after, english_after, bool(after))
        ]  # fmt: skip

    def _measured(self, named: list[Part]) -> list[Part]:
        random = self.random
        if random.random() < 0.6:
            number = random.choice(("1", "2", "3", "5", "10", "100", "200", "250", "500", "750"))
            unit = random.choice(UNITS)
            space = "" if random.random() < 0.2 else " "
            amount = Part(f"{number}{space}{random.choice(unit[1])}", f"{number} {unit[0]}")
        else:
            number = self._entry("amount")
            unit = random.choice(UNITS)
            amount = Part(f"{number.source} {random.choice(unit[1])}", f"{number.target} {unit[0]}", number.hindi)
        if random.random() < 0.5:
            return [amount, *named]
        return [*named, amount]

    def _product(self) -> Part:
        if self.random.random() < 0.12:
            _, name = self.random.choice(self.world.products)
            if len(name.split()) <= 3:
                return Part(name, name)
        part = self._entry_of(self._products)
        if self.random.random() < 0.1:
            return Part(f"{part.source} powder", f"{part.target} powder", part.hindi)
        return part

    def _entry(self, kind: str) -> Part:
        choices = self._kinds.get(kind)
        return self._entry_of(choices) if choices else Part("", "")

    def _entry_of(self, entries: Sequence[Entry]) -> Part:
        entry = self.random.choice(entries)
        choice = self.random.random()
        if choice < 0.28:
            source = entry.english
        elif choice < 0.65:
            source = entry.spellings[0]
        else:
            source = self.random.choice(entry.spellings)
        hindi = entry.kind != "english" and source != entry.english
        if self.random.random() < self.errors:
            source = misspell_phrase(source, self.random, 0.2)
        return Part(source, entry.english, hindi)

    def _written(self, brand: str) -> str:
        """A brand as somebody types it."""
        if self.random.random() >= self.brand_errors:
            return brand
        return misspell_phrase(brand, self.random, 0.4)

    def _query(self, parts: Sequence[Part], brand: str, written: str) -> Query:
        source = " ".join(part.source for part in parts if part.source)
        target = " ".join(part.target for part in parts if part.target)
        if any(part.hindi for part in parts):
            case = 4 if brand else 3
        else:
            case = 1 if source == target else 2
        return Query(source, target, case, brand, written)


UNITS = (
    ("kg", ("kg", "kilo", "kilogram", "kgs")),
    ("gram", ("gram", "gm", "g", "gms", "grams")),
    ("litre", ("litre", "liter", "ltr", "l", "litr")),
    ("ml", ("ml",)),
    ("packet", ("packet", "paket", "pudiya", "pkt")),
    ("bottle", ("bottle", "botal", "bottal")),
    ("box", ("box", "dabba", "dibba")),
    ("piece", ("piece", "pc", "nag", "pis")),
    ("dozen", ("dozen", "darjan")),
)
REQUESTS = (
    # source before, source after, target before, target after
    ("", "dikhao", "show", ""),
    ("", "dikhaiye", "show", ""),
    ("mujhe", "dikhao", "show me", ""),
    ("muje", "chahiye", "i want", ""),
    ("mujhe", "chahiye", "i want", ""),
    ("hame", "chahiye", "we want", ""),
    ("", "chahiye", "want", ""),
    ("", "lena hai", "want to buy", ""),
    ("mujhe", "kharidna hai", "i want to buy", ""),
    ("", "kharidna hai", "want to buy", ""),
    ("", "order karo", "order", ""),
    ("", "mangwao", "order", ""),
    ("", "mangao", "order", ""),
    ("", "bhejo", "send", ""),
    ("", "dhundo", "find", ""),
    ("", "cart me dalo", "add", "to cart"),
    ("", "cart mein add karo", "add", "to cart"),
    ("", "ka daam", "price of", ""),
    ("", "ki kimat", "price of", ""),
    ("", "ka rate", "price of", ""),
    ("", "ka price kya hai", "what is the price of", ""),
    ("", "kitne ka hai", "how much is", ""),
    ("", "kahan milega", "where to get", ""),
    ("", "hai kya", "is there", ""),
    ("kya", "milega", "can i get", ""),
    ("", "par offer", "offer on", ""),
    ("", "pe offer", "offer on", ""),
    ("", "ka combo", "", "combo"),
    ("", "ka packet", "packet of", ""),
    ("ghar ka bana", "", "homemade", ""),
    ("sabse sasta", "", "cheapest", ""),
    ("sabse accha", "", "best", ""),
    ("ek packet", "", "one packet", ""),
    ("thoda", "", "some", ""),
    ("naya", "", "new", ""),
    ("aur", "", "more", ""),
    ("", "wala", "", ""),
    ("", "wali", "", ""),
)
"""Requests around a product. Written by hand."""
