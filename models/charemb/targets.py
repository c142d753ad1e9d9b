"""What an encoder learns: a vector for each phrase of a matrix.

The matrix alone has two weaknesses. A rare phrase's own vector is noisy, while the sum of its
words' vectors is not; and neither knows that two strings look alike. So a target is

    [ sqrt(1 - s) * unit( unit(words) + c / (c + r) * own ),  sqrt(s) * unit(spelling) ]

- words: the sum of the words' unit vectors, each weighted by -ln p(word) to a power, the last word
  more, because the last word of an English noun phrase is its head;
- own: the unit vector of the phrase itself, the less the fewer occurrences c it has;
- spelling: its character trigrams by tf-idf, projected to few dimensions with random signs, which
  keeps cosines (Achlioptas, 2003).

All of it is unsupervised; the constants were chosen on Patent Phrase's validation pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_sdk.kernels import PhraseScheme, phrase_ngrams_many
from models.charemb.vectors import Matrix

CENTRE_ROWS = 50_000
TRIGRAMS = PhraseScheme(3, 3, 0, 1 << 16, 1)


@dataclass(frozen=True)
class TargetConfig:
    """Constants of a target; ``plain()`` gives the paper's: the matrix' own rows."""

    composed: bool = True
    information_power: float = 1.25
    head: float = 0.6
    """The last word counts 1 + head times."""
    reliable: float = 10.0
    """Occurrences at which a phrase's own vector weighs half (r)."""
    spelling: float = 0.35
    """Share s of the squared norm that spelling has."""
    spelling_dimension: int = 64
    seed: int = 1

    @staticmethod
    def plain() -> TargetConfig:
        return TargetConfig(composed=False, spelling=0.0, spelling_dimension=0)


class Targets:
    """Targets of any phrases, from a matrix."""

    def __init__(self, matrix: Matrix, config: TargetConfig) -> None:
        self.config = config
        self._rows = {text: row for row, text in enumerate(matrix.texts)}
        frequent = np.argsort(-matrix.counts, kind="stable")[:CENTRE_ROWS]
        self._vectors = unit(matrix.vectors - matrix.vectors[frequent].mean(0))
        self._counts = matrix.counts
        single = np.array([" " not in text for text in matrix.texts])
        probability = matrix.counts / max(1, matrix.counts[single].sum())
        # Where counts are unknown, all words are equal.
        information = -np.log(probability) if matrix.counts.max() > 1 else np.ones(len(probability))
        self._weights = np.maximum(information, 0.1) ** config.information_power
        if config.spelling_dimension:
            self._frequencies = _document_frequencies(matrix.texts)
            draw = np.random.default_rng(config.seed)
            shape = (TRIGRAMS.ngram_buckets + 1, config.spelling_dimension)
            self._signs = draw.choice(np.array([-1, 1], np.float32), shape)

    @property
    def dimension(self) -> int:
        return self._vectors.shape[1] + self.config.spelling_dimension

    def weights(self, words: Sequence[str]) -> np.ndarray:
        """How much each word of the matrix counts in a phrase: float64 [words]."""
        return self._weights[[self._rows[word] for word in words]]

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Unit rows, float32 [texts, dimension]; zeros for a phrase without any known word."""
        meaning = self.meaning(texts)
        if not self.config.spelling_dimension:
            return meaning
        share = self.config.spelling
        found = np.hstack([(1 - share) ** 0.5 * meaning, share**0.5 * self._spelling(texts)])
        return unit(found * meaning.any(1, keepdims=True))

    def trigrams(self, numbers: np.ndarray) -> np.ndarray:
        """What each trigram adds to a phrase's spelling: float32 [numbers, spelling dimension]."""
        return self._signs[numbers] * self._frequencies[numbers][:, None]

    def meaning(self, texts: Sequence[str]) -> np.ndarray:
        """Unit rows without the spelling, float32 [texts, dimension of the matrix]; zeros as above."""
        own = np.zeros((len(texts), self._vectors.shape[1]), np.float32)
        words = np.zeros_like(own)
        for i, text in enumerate(texts):
            row = self._rows.get(text)
            if row is not None:
                own[i] = self._vectors[row]
                if self.config.composed and " " in text:
                    own[i] *= self._counts[row] / (self._counts[row] + self.config.reliable)
            if self.config.composed and " " in text:
                parts = text.split(" ")
                known = [self._rows[word] for word in parts if word in self._rows]
                weights = self._weights[known]
                if known and self._rows.get(parts[-1]) == known[-1]:
                    weights[-1] *= 1 + self.config.head
                words[i] = weights @ self._vectors[known]
        return unit(unit(words) + own)

    def _spelling(self, texts: Sequence[str]) -> np.ndarray:
        out = np.zeros((len(texts), self.config.spelling_dimension), np.float32)
        for first in range(0, len(texts), 4096):
            numbers, ends = phrase_ngrams_many(list(texts[first : first + 4096]), TRIGRAMS)
            weighted = self.trigrams(numbers)
            sums = np.vstack([np.zeros(weighted.shape[1]), np.cumsum(weighted, 0, np.float64)])
            out[first : first + len(ends)] = np.diff(sums[ends], axis=0, prepend=np.zeros((1, out.shape[1])))
        return unit(out)


def _document_frequencies(texts: Sequence[str]) -> np.ndarray:
    """ln((1 + texts) / (1 + texts with the trigram)) + 1: float32 [buckets + 1]."""
    seen = np.zeros(TRIGRAMS.ngram_buckets + 1, np.int64)
    for first in range(0, len(texts), 4096):
        numbers, ends = phrase_ngrams_many(list(texts[first : first + 4096]), TRIGRAMS)
        text = np.searchsorted(ends, np.arange(len(numbers)), side="right")
        distinct = np.unique(text * np.int64(len(seen)) + numbers) % len(seen)
        seen += np.bincount(distinct, minlength=len(seen))
    return (np.log((1 + len(texts)) / (1 + seen)) + 1).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length one, float32; zeros stay zeros."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1)).astype(np.float32)
