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
    """Hashed n-grams of characters and runs of words, as `scheme` says."""

    name = "ngrams"
    padded = True

    def __init__(self, scheme: PhraseScheme) -> None:
        self.scheme = scheme

    def __call__(self, phrase: str) -> np.ndarray:
        return phrase_ngrams(phrase, self.scheme)


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
    section.only("kind", "ngram_min", "ngram_max", "word_max", "ngram_buckets", "word_buckets")
    ngram_min = section.integer("ngram_min", 1, MAX_NGRAM)
    return NgramInput(
        PhraseScheme(
            ngram_min,
            section.integer("ngram_max", ngram_min, MAX_NGRAM),
            section.integer("word_max", 0, MAX_WORDS),
            section.integer("ngram_buckets", 1, MAX_BUCKETS),
            section.integer("word_buckets", 1, MAX_BUCKETS),
        )
    )
