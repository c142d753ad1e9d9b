"""Text pairs to token ids, and the mixture of pairs that a training step sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import NamedTuple

import torch
from torch import Tensor

from edge_sdk.query_tokenizer import BEGIN, END, FIRST_SLOT, SLOTS, QueryTokenizer
from models.query_translator.misspell import char_drop, misspell, misspell_phrase
from models.query_translator.search import pad

Text = tuple[str, str]
"""Source and target, both normalised."""
PRIVATE = 0xE000
"""Characters that no vocabulary has: a word made of one becomes a copy slot."""
LONGEST = 60
"""Pairs with more tokens on a side are left out."""


class Example(NamedTuple):
    """Ids of one pair; both end with END."""

    source: list[int]
    target: list[int]


def encode_pair(tokenizer: QueryTokenizer, source: str, target: str) -> Example | None:
    """Ids of a pair. None where it is too long, or the target copies what no slot of the source holds."""
    read, written = tokenizer.encode(source), tokenizer.encode(target)
    number = {text: i for i, text in enumerate(read.slots)}
    if any(text not in number for text in written.slots):
        return None
    ids = [
        FIRST_SLOT + number[written.slots[i - FIRST_SLOT]] if FIRST_SLOT <= i < FIRST_SLOT + SLOTS else i
        for i in written.ids
    ]
    if not read.ids or not ids or max(len(read.ids), len(ids)) > LONGEST:
        return None
    return Example([*read.ids, END], [*ids, END])


def with_slots(source: str, target: str, random: Random, brands: Sequence[str] = ()) -> Text:
    """Some words that both sides have once, and brands, as characters that no vocabulary has.

    So the model learns to put copy slots where they belong.
    """
    both = [f for f in brands if f" {f} " in f" {source} " and f" {f} " in f" {target} "]
    words = source.split(" ")
    both += [w for w in words if len(w) > 3 and words.count(w) == 1 and target.split(" ").count(w) == 1]
    random.shuffle(both)
    used = 0
    for found in both[: random.choice((1, 1, 1, 2, 3))]:
        if f" {found} " in f" {source} " and f" {found} " in f" {target} ":
            mark = chr(PRIVATE + used)
            source = f" {source} ".replace(f" {found} ", f" {mark} ", 1).strip()
            target = f" {target} ".replace(f" {found} ", f" {mark} ", 1).strip()
            used += 1
    return source, target


@dataclass(frozen=True)
class Mixture:
    """Draws the pairs of the three terms of the loss."""

    random: Random
    supervised: Sequence[tuple[float, Callable[[], Text]]]
    """Sources of supervised pairs with their weights."""
    brands: Sequence[str]
    slot_share: float = 0.15
    noise: str = "chardrop"
    """What the brand loss undoes: "chardrop" (the paper's) or "misspelling" (CharDrop among others)."""

    def draw_supervised(self) -> Text:
        """A pair, at times with copy slots."""
        pair = self.draw_tagged()
        if self.random.random() < self.slot_share:
            return with_slots(*pair, self.random, [b for b in self.brands if b in pair[1]] if " " in pair[1] else ())
        return pair

    def draw_autoencoder(self) -> Text:
        """English to itself."""
        target = self.draw_tagged()[1]
        return target, target

    def draw_spelling(self) -> Text:
        """A pair whose source has more spelling mistakes than the data has."""
        source, target = self.draw_tagged()
        words = source.split(" ")
        share = self.random.choice((0.1, 0.2, 0.3))
        return " ".join(misspell(w, self.random) if self.random.random() < share else w for w in words), target

    def draw_brand(self, share: float) -> Text:
        """A brand with errors in about this share of its words, and the brand."""
        brand = self.random.choice(self.brands)
        if self.noise == "misspelling" and self.random.random() < 0.7:
            return misspell_phrase(brand, self.random, share), brand
        words = [char_drop(w, self.random) if self.random.random() < share else w for w in brand.split(" ")]
        return " ".join(words), brand

    def draw_tagged(self) -> Text:
        """A pair of one of the sources, as it is."""
        weights, draws = zip(*self.supervised)
        return self.random.choices(draws, weights)[0]()


class Batch(NamedTuple):
    """Examples of all terms of the loss."""

    source: Tensor
    """int64 [rows, s]."""
    target_in: Tensor
    """int64 [rows, t], BEGIN first."""
    target: Tensor
    """int64 [rows, t]."""
    term: Tensor
    """int64 [rows]: which term of the loss a row belongs to."""


def batch_of(terms: Sequence[Sequence[Example]]) -> Batch:
    """Padded tensors of the rows of every term."""
    examples = [example for rows in terms for example in rows]
    return Batch(
        pad([e.source for e in examples]),
        pad([[BEGIN, *e.target[:-1]] for e in examples]),
        pad([e.target for e in examples]),
        torch.tensor([number for number, rows in enumerate(terms) for _ in rows]),
    )


class Batches:
    """Batches of an epoch, drawn anew each time.

    Args:
        sizes: rows of the supervised, augmentation and brand terms in a batch; 0 leaves one out.
        steps: batches an epoch.
    """

    POOL = 16  # batches drawn together and sorted by length, so that little is padding

    def __init__(
        self, mixture: Mixture, tokenizer: QueryTokenizer, sizes: tuple[int, int, int], steps: int
    ) -> None:
        self.mixture, self.tokenizer, self.sizes, self.steps = mixture, tokenizer, sizes, steps

    def __len__(self) -> int:
        return self.steps

    def __call__(self) -> Iterator[Batch]:
        """One epoch."""
        for first in range(0, self.steps, self.POOL):
            yield from self._pool(min(self.POOL, self.steps - first))

    def _pool(self, count: int) -> list[Batch]:
        """The terms' rows, each sorted by length, meet rows of their own length in a batch."""
        random, mixture = self.mixture.random, self.mixture
        # One kind of augmentation for a batch (paper): every other one in the order of lengths.
        kinds = [mixture.draw_autoencoder, mixture.draw_spelling]
        random.shuffle(kinds)
        shares = (random.uniform(0.3, 0.5) for _ in range(count))
        supervised = self._sorted(mixture.draw_supervised, self.sizes[0], count)
        augmented = [self._sorted(kind, self.sizes[1], (count + 1) // 2) for kind in kinds]
        brands = [
            [self._encode(partial(mixture.draw_brand, share)) for _ in range(self.sizes[2])] for share in shares
        ]  # fmt: skip
        batches = [
            batch_of((supervised[i], augmented[i % 2][i // 2], brands[i])) for i in range(count)
        ]
        random.shuffle(batches)
        return batches

    def _sorted(self, draw: Callable[[], Text], size: int, count: int) -> list[list[Example]]:
        examples = [self._encode(draw) for _ in range(size * count)]
        examples.sort(key=lambda e: (len(e.source) + self.mixture.random.random() * 2, len(e.target)))
        return [examples[i * size : (i + 1) * size] for i in range(count)]

    def _encode(self, draw: Callable[[], Text]) -> Example:
        found = None
        while found is None:
            found = encode_pair(self.tokenizer, *draw())
        return found
