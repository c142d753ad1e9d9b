"""The encoders by name, and how they are trained."""

from __future__ import annotations

from dataclasses import dataclass

from edge_sdk.kernels import PhraseScheme


@dataclass(frozen=True)
class CharacterConfig:
    """An encoder that reads characters (Table 5 of the paper, and what it leaves open).

    Open in the paper, decided here: characters are embedded in `embedding` dimensions; the last
    states of both directions are concatenated; the MLP has one hidden layer, as wide as one
    direction, with ReLU. Width of embedding 128, 128 and 192 then gives the stated sizes.
    """

    encoder: str = "lstm"
    """"lstm", "gru", "transformer" or "convolution"."""
    hidden: int = 512
    """Width of one direction; of the whole encoder where there is none."""
    layers: int = 1
    embedding: int = 128
    dropout: float = 0.2
    max_characters: int = 64
    """A longer phrase is cut."""


@dataclass(frozen=True)
class BagConfig:
    """The student: reads hashed windows of letters, and the words that it knows.

    Words are looked up by a hash so wide (`word_buckets`) that two hardly ever share one: rare
    words say most about a phrase, and would be lost in rows shared with others (docs/phrases.md).
    """

    ngram_min: int = 3
    ngram_max: int = 4
    ngram_buckets: int = 8192
    word_buckets: int = (1 << 24) - (1 << 16)
    known: int = 54_000
    """The most frequent words, which have rows of their own."""
    word_width: int = 50
    hidden: int = 192
    dropout: float = 0.0
    max_characters: int = 256

    word_max = 1

    @property
    def scheme(self) -> PhraseScheme:
        return PhraseScheme(
            self.ngram_min, self.ngram_max, self.word_max, self.ngram_buckets, self.word_buckets
        )


MODELS: dict[str, CharacterConfig | BagConfig] = {
    "small": CharacterConfig("lstm", 512, 1, 128),
    "base": CharacterConfig("lstm", 512, 2, 128),
    "large": CharacterConfig("lstm", 768, 2, 192),
    "small-gru": CharacterConfig("gru", 592, 1, 128),
    "small-transformer": CharacterConfig("transformer", 256, 4, 256),
    "convolution": CharacterConfig("convolution", 256, 2, 64),
    "student": BagConfig(),
}
