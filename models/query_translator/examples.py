"""Text pairs to token ids, and the mixture of pairs that a training step sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from torch import Tensor

from edge_sdk.query_tokenizer import BEGIN, END, FIRST_SLOT, SLOTS, QueryTokenizer
from models.query_translator.misspell import char_drop, misspell, misspell_phrase
from models.query_translator.search import pad

Text = tuple[str, str]
"""Source and target, both normalised."""
_PRIVATE = 0xE000
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
            mark = chr(_PRIVATE + used)
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
        pair = self._draw()
        if self.random.random() < self.slot_share:
            return with_slots(*pair, self.random, [b for b in self.brands if b in pair[1]] if " " in pair[1] else ())
        return pair

    def draw_autoencoder(self) -> Text:
        """English to itself."""
        target = self._draw()[1]
        return target, target

    def draw_spelling(self) -> Text:
        """A pair whose source has more spelling mistakes than the data has."""
        source, target = self._draw()
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

    def _draw(self) -> Text:
        weights, draws = zip(*self.supervised)
        return self.random.choices(draws, weights)[0]()


class Group(NamedTuple):
    """Examples of one term of the loss as tensors, int64 [batch, length]."""

    source: Tensor
    target_in: Tensor
    target: Tensor


def group(examples: Sequence[Example]) -> Group:
    """Padded tensors; the decoder's input is the target shifted by BEGIN."""
    target = pad([e.target for e in examples])
    target_in = pad([[BEGIN, *e.target[:-1]] for e in examples])
    return Group(pad([e.source for e in examples]), target_in, target)


class Batches:
    """Batches of an epoch: each a Group for every term of the loss that has rows.

    Args:
        sizes: rows of the supervised, augmentation and brand terms; 0 leaves a term out.
        steps: batches an epoch.
    """

    POOL = 16  # batches drawn together and sorted by length, so that little is padding

    def __init__(
        self, mixture: Mixture, tokenizer: QueryTokenizer, sizes: tuple[int, int, int], steps: int
    ) -> None:
        self.mixture, self.tokenizer, self.sizes, self.steps = mixture, tokenizer, sizes, steps

    def __len__(self) -> int:
        return self.steps

    def __call__(self) -> list[list[Group]]:
        """One epoch; draws anew each time."""
        return [batch for first in range(0, self.steps, self.POOL)
                for batch in self._pool(min(self.POOL, self.steps - first))]  # fmt: skip

    def _pool(self, count: int) -> list[list[Group]]:
        random, mixture = self.mixture.random, self.mixture
        supervised = self._sorted([mixture.draw_supervised] * (self.sizes[0] * count), self.sizes[0])
        terms = [supervised]
        if self.sizes[1]:
            # One kind of augmentation for a batch (paper); half of the pool's batches each.
            half = count // 2 + random.randrange(2) * (count % 2)
            terms.append(
                self._sorted([mixture.draw_autoencoder] * (self.sizes[1] * half), self.sizes[1])
                + self._sorted([mixture.draw_spelling] * (self.sizes[1] * (count - half)), self.sizes[1])
            )
            random.shuffle(terms[1])
        if self.sizes[2]:
            shares = [random.uniform(0.3, 0.5) for _ in range(count)]
            terms.append([
                group(self._encode([lambda s=share: mixture.draw_brand(s)] * self.sizes[2])) for share in shares
            ])  # fmt: skip
        return [list(batch) for batch in zip(*terms)]

    def _sorted(self, draws: list[Callable[[], Text]], size: int) -> list[Group]:
        examples = self._encode(draws)
        noise = self.mixture.random
        examples.sort(key=lambda e: (len(e.source) + noise.random() * 2, len(e.target)))
        groups = [group(examples[i : i + size]) for i in range(0, len(examples), size)]
        noise.shuffle(groups)
        return groups

    def _encode(self, draws: list[Callable[[], Text]]) -> list[Example]:
        examples: list[Example] = []
        for draw in draws:
            found = None
            while found is None:
                found = encode_pair(self.tokenizer, *draw())
            examples.append(found)
        return examples
