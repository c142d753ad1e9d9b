"""What a model is given of a phrase: numbers of its characters, or of its n-grams. Training uses this same copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edge_sdk.errors import BundleError
from edge_sdk.kernels import PhraseScheme, phrase_ngrams
from edge_sdk.kernels.phrase_scheme import MAX_BUCKETS, MAX_NGRAM, MAX_WORDS
from edge_sdk.section import Section

if TYPE_CHECKING:
    from edge_sdk.bundle import Bundle


class PhraseInput(Protocol):
    """Turns a normalised phrase into the input of the graph."""

    name: str
    """Of the graph's input."""
    padded: bool
    """Whether phrases of different lengths may share a batch, with zeros after the shorter ones."""

    def __call__(self, phrase: str) -> np.ndarray:
        """int32 [n] of a normalised phrase; n may be 0 where there is nothing to read."""
        ...


class CharacterInput:
    """One number a character: its place in the list of known ones, from 1; 0 for all others."""

    name = "characters"
    padded = False

    def __init__(self, characters: Sequence[str]) -> None:
        self._numbers = {character: i for i, character in enumerate(characters, 1)}

    def __call__(self, phrase: str) -> np.ndarray:
        get = self._numbers.get
        return np.array([get(character, 0) for character in phrase], np.int32)


class NgramInput:
    """Hashed n-grams of characters and runs of words, as `scheme` says.

    With `known`, the sorted numbers of the words that the model has rows for, words share no row:
    see `known_rows`. The scheme's words must then be single ones (`word_max` 1).
    """

    name = "ngrams"
    padded = True

    def __init__(self, scheme: PhraseScheme, known: np.ndarray | None = None) -> None:
        self.scheme, self.known = scheme, known

    def __call__(self, phrase: str) -> np.ndarray:
        numbers = phrase_ngrams(phrase, self.scheme)
        if self.known is None or not len(numbers):
            return numbers
        return known_rows(numbers, np.array([len(numbers) - 1]), self.scheme, self.known)


def known_rows(
    numbers: np.ndarray, heads: np.ndarray, scheme: PhraseScheme, known: np.ndarray
) -> np.ndarray:
    """Numbers of n-grams with those of words replaced: int32, as many.

    Args:
        numbers: int32, of one phrase or of several one after another.
        heads: places where a phrase's last word is repeated, which is its last number.
        known: int32 [k], sorted numbers of known words.

    A word that is the i-th known one becomes `ngram_buckets` + 1 + i, and the repeated last word that
    plus k; an unknown word becomes 0, which is padding.
    """
    numbers = numbers.copy()
    numbers[heads] = numbers[heads - 1]
    places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    rows = np.where(known[places] == numbers, scheme.ngram_buckets + 1 + places, 0)
    rows[heads] += np.where(rows[heads] > 0, len(known), 0)
    return np.where(numbers > scheme.ngram_buckets, rows, numbers).astype(np.int32)


def open_input(bundle: Bundle, section: Section) -> PhraseInput:
    """The input that `pipeline.input` of a bundle describes. Raises BundleError (`bundle_schema`)."""
    if section.text("kind", choices=("characters", "ngrams")) == "characters":
        section.only("kind", "file")
        file = section.text("file")
        characters = bundle.read_json(file)
        if not isinstance(characters, list) or not all(
            isinstance(each, str) and len(each) == 1 for each in characters
        ):
            raise BundleError(
                "bundle_schema", f"{file} is no list of single characters", "export the bundle again"
            )
        return CharacterInput(characters)
    section.only("kind", "ngram_min", "ngram_max", "word_max", "ngram_buckets", "word_buckets", "known")
    ngram_min = section.integer("ngram_min", 1, MAX_NGRAM)
    scheme = PhraseScheme(
        ngram_min,
        section.integer("ngram_max", ngram_min, MAX_NGRAM),
        section.integer("word_max", 0, MAX_WORDS),
        section.integer("ngram_buckets", 1, MAX_BUCKETS),
        section.integer("word_buckets", 1, MAX_BUCKETS),
    )
    file = section.text("known", "")
    return NgramInput(scheme, _known(bundle, file, scheme) if file else None)


def _known(bundle: Bundle, file: str, scheme: PhraseScheme) -> np.ndarray:
    known = bundle.read_array(file)
    if (
        scheme.word_max != 1
        or known.dtype != np.int32
        or known.ndim != 1
        or not len(known)
        or known[0] <= scheme.ngram_buckets
        or (np.diff(known) <= 0).any()
    ):
        raise BundleError(
            "bundle_schema",
            f"{file}: {known.dtype} {list(known.shape)} is no sorted list of numbers of single words",
            "export the bundle again",
        )
    return known
