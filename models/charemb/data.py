"""Phrases as batches: texts with targets, split, made noisy, and grouped so that nothing is padded."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edge_sdk.kernels import PhraseScheme, phrase_ngrams_many
from edge_sdk.phrase_input import CharacterInput, known_rows

LEAST_CHARACTER = 50
"""A rarer character of the vocabulary is not known to a model."""


@dataclass(frozen=True)
class Examples:
    """Phrases with their targets.

    Attributes:
        texts: normalised phrases.
        targets: float32 [texts, dimension], unit rows.
        weights: float32 [texts], of the loss, mean 1.
    """

    texts: list[str]
    targets: np.ndarray
    weights: np.ndarray

    def rows(self, chosen: np.ndarray) -> Examples:
        return Examples([self.texts[i] for i in chosen], self.targets[chosen], self.weights[chosen])


@dataclass(frozen=True)
class Batch:
    """One step: `inputs` are the encoder's arguments."""

    inputs: tuple[Tensor, ...]
    targets: Tensor
    weights: Tensor


def split(examples: Examples, held_out: float, seed: int) -> tuple[Examples, Examples]:
    """Training and validation phrases; the paper holds out 20%."""
    order = np.random.default_rng(seed).permutation(len(examples.texts))
    size = max(1, round(held_out * len(order)))
    return examples.rows(np.sort(order[size:])), examples.rows(np.sort(order[:size]))


def character_vocabulary(texts: Sequence[str]) -> list[str]:
    """The characters that are frequent enough to be learnt, sorted; the space is always one."""
    counts = Counter(character for text in texts for character in text)
    return sorted({" "} | {c for c, count in counts.items() if count >= LEAST_CHARACTER})


def misspell(text: str, share: float) -> str:
    """With probability `share` the text with one typing error: a letter lost, doubled or swapped
    with the next, or two words written as one. Uses Python's global generator."""
    if len(text) < 4 or random.random() >= share:
        return text
    spaces = [i for i, character in enumerate(text) if character == " "]
    kind = random.randrange(4 if spaces else 3)
    if kind == 3:
        at = random.choice(spaces)
        return text[:at] + text[at + 1 :]
    at = random.randrange(1, len(text) - 1)
    a, b = text[at], text[at + 1]
    if " " in (a, b):
        return text
    return text[:at] + ("", a + a, b + a)[kind] + text[at + (2 if kind == 2 else 1) :]


class CharacterBatches:
    """Batches of phrases of one length: `inputs` is int64 [batch, length].

    Call it for the batches of an epoch, in random order, from Python's global generator.
    """

    def __init__(
        self, examples: Examples, characters: Sequence[str], limit: int, size: int, noise: float
    ) -> None:
        self._examples, self._encode = examples, CharacterInput(characters)
        self._limit, self._size, self._noise = limit, size, noise

    def __call__(self) -> Iterator[Batch]:
        return self._batches(self._noise, shuffle=True)

    def plain(self) -> Iterator[Batch]:
        """Without noise, shortest first."""
        return self._batches(0.0, shuffle=False)

    def _batches(self, noise: float, shuffle: bool) -> Iterator[Batch]:
        texts = [misspell(text, noise)[: self._limit] for text in self._examples.texts]
        order = list(range(len(texts)))
        if shuffle:
            random.shuffle(order)
        order.sort(key=lambda row: len(texts[row]))
        groups: list[list[int]] = []
        for row in order:
            full = not groups or len(groups[-1]) == self._size
            if full or len(texts[groups[-1][0]]) != len(texts[row]):
                groups.append([])
            groups[-1].append(row)
        if shuffle:
            random.shuffle(groups)
        for rows in groups:
            numbers = np.stack([self._encode(texts[row]) for row in rows]).astype(np.int64)
            yield _batch(self._examples, np.array(rows), (torch.from_numpy(numbers),))

    def __len__(self) -> int:
        sizes = Counter(min(len(text), self._limit) for text in self._examples.texts)
        return sum(-(-count // self._size) for count in sizes.values())


def known_numbers(words: Sequence[str], scheme: PhraseScheme) -> np.ndarray:
    """Sorted numbers of words, int32: what `known_rows` takes. The few that collide are one."""
    numbers, ends = phrase_ngrams_many(list(words), scheme)
    return np.unique(numbers[ends - 2])  # before the repeated last word


@dataclass(frozen=True)
class Bags:
    """Turns phrases into what `BagEncoder.bag` takes."""

    scheme: PhraseScheme
    known: np.ndarray

    def __call__(self, texts: Sequence[str], drop: float = 0.0) -> tuple[Tensor, ...]:
        """Of texts that are not empty: all windows of letters int64 [n], where each text's begin
        int64 [texts]; rows of words int64 [m], where each text's begin int64 [texts], which are
        repeated last words bool [m]. `drop` is the share of windows to leave out.
        """
        numbers, ends = phrase_ngrams_many(list(texts), self.scheme)
        begins = np.concatenate([[0], ends[:-1]])
        numbers = known_rows(numbers, ends - 1, self.scheme, self.known).astype(np.int64)
        word = numbers > self.scheme.ngram_buckets
        window = (numbers > 0) & ~word
        if drop:
            window &= np.random.random(len(numbers)) >= drop
        rows = numbers[word] - self.scheme.ngram_buckets
        last = rows > len(self.known)
        parts = (
            numbers[window],
            np.concatenate([[0], np.cumsum(window)])[begins],
            rows - last * len(self.known),
            np.concatenate([[0], np.cumsum(word)])[begins],
            last,
        )
        return tuple(map(torch.from_numpy, parts))


class BagBatches:
    """Batches of bags, without padding: `inputs` is what `Bags` gives."""

    def __init__(
        self, examples: Examples, bags: Bags, limit: int, size: int, noise: float, drop: float
    ) -> None:
        self._examples, self._bags, self._limit = examples, bags, limit
        self._size, self._noise, self._drop = size, noise, drop

    def __call__(self) -> Iterator[Batch]:
        order = np.arange(len(self._examples.texts))
        np.random.shuffle(order)
        return self._batches(order, self._noise, self._drop)

    def plain(self) -> Iterator[Batch]:
        """Without noise, in the order of the examples."""
        return self._batches(np.arange(len(self._examples.texts)), 0.0, 0.0)

    def _batches(self, order: np.ndarray, noise: float, drop: float) -> Iterator[Batch]:
        texts = self._examples.texts
        for first in range(0, len(order), self._size):
            rows = order[first : first + self._size]
            noisy = [misspell(texts[row], noise)[: self._limit] for row in rows]
            yield _batch(self._examples, rows, self._bags(noisy, drop))

    def __len__(self) -> int:
        return -(-len(self._examples.texts) // self._size)


def _batch(examples: Examples, rows: np.ndarray, inputs: tuple[Tensor, ...]) -> Batch:
    return Batch(
        inputs, torch.from_numpy(examples.targets[rows]), torch.from_numpy(examples.weights[rows])
    )
