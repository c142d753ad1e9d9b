"""All frequent runs of words in a corpus: the phrases whose contexts can be counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.charemb.corpus import BREAKS, Corpus
from models.charemb.terms import FUNCTION_WORDS


@dataclass(frozen=True)
class Spans:
    """Phrases of 1 to n words, and every place where each occurs.

    Attributes:
        texts: words joined by spaces.
        words: int8 [phrases], words in each.
        starts: int32 [occurrences], first token of each occurrence, grouped by phrase.
        ends: int64 [phrases], where the group of each phrase ends in `starts`.
    """

    texts: list[str]
    words: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """int64 [phrases]."""
        return np.diff(self.ends, prepend=0)


def frequent_spans(corpus: Corpus, min_count: int, max_words: int = 4) -> Spans:
    """Every word, and every run of up to `max_words` words between breaks, that is frequent.

    A run of several words neither begins nor ends with a function word ("state of the art" is one,
    "of the" is none). Runs grow word by word: one can only be frequent if what it extends is. Works
    in memory: some 60 bytes a token.
    """
    ids = np.asarray(corpus.ids).astype(np.int64)
    counts = corpus.counts()
    content = np.array([name not in FUNCTION_WORDS for name in corpus.names])
    content[: len(BREAKS)] = False
    frequent = (ids >= len(BREAKS)) & (counts[ids] >= min_count)

    texts: list[str] = []
    words, starts, sizes = [], [], []
    run = np.where(frequent, ids, -1)  # number of the frequent run that starts at a token, or -1
    for length in range(1, max_words + 1):
        if length > 1:
            last = len(ids) - length + 1
            grown = (run[:last] >= 0) & frequent[length - 1 :]
            places = np.flatnonzero(grown)
            keys = run[places] * len(counts) + ids[places + length - 1]
            _, number, often = np.unique(keys, return_inverse=True, return_counts=True)
            kept = often[number] >= min_count
            run = np.full(len(ids), -1)
            run[places[kept]] = number[kept]
        places = np.flatnonzero(run >= 0)
        if length > 1:
            places = places[content[ids[places]] & content[ids[places + length - 1]]]
        if not len(places):
            continue
        _, number, often = np.unique(run[places], return_inverse=True, return_counts=True)
        places = places[np.argsort(number, kind="stable")]
        firsts = places[np.cumsum(often) - often]
        texts += [" ".join(corpus.names[i] for i in ids[first : first + length]) for first in firsts]
        words.append(np.full(len(often), length, np.int8))
        starts.append(places.astype(np.int32))
        sizes.append(often)
    return Spans(texts, np.concatenate(words), np.concatenate(starts), np.cumsum(np.concatenate(sizes)))
