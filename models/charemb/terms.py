"""Multiword terms without supervision: which neighbouring words are one term.

Each pass joins neighbouring tokens whose pair is frequent and holds together, measured by
normalised pointwise mutual information (Bouma, 2009): ln(p(a,b) / p(a)p(b)) / -ln p(a,b), from -1
to 1. A later pass sees the terms of the earlier ones as tokens; terms longer than `MAX_WORDS` are
not made. A term neither begins nor ends with a function word, and breaks are never crossed. (The
paper uses the extractor of Fusco et al., 2022, which is not public; this is word2phrase of Mikolov
et al., 2013, section 4, with a measure whose threshold does not depend on the corpus' size.)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_sdk.files import atomic_write
from models.charemb.corpus import BREAKS, ID, IDS, Corpus

JOINER = "_"
MAX_WORDS = 4
PAIRS_IN_MEMORY = 1 << 26
FUNCTION_WORDS = frozenset(
    ["a", "about", "above", "across", "after", "again", "against", "all", "almost", "along", "already", "also", "although", "always", "am", "among", "an", "and", "another", "any", "are", "around", "as", "at", "be", "became", "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "cannot", "could", "did", "do", "does", "done", "due", "during", "e", "each", "either", "else", "eg", "et", "etc", "even", "ever", "every", "few", "for", "from", "further", "furthermore", "g", "had", "has", "have", "having", "he", "hence", "her", "here", "herein", "hereby", "him", "his", "how", "however", "i", "ie", "if", "in", "into", "is", "it", "its", "itself", "just", "least", "less", "let", "many", "may", "me", "might", "more", "moreover", "most", "much", "must", "my", "near", "neither", "no", "nor", "not", "now", "of", "off", "often", "on", "once", "one", "only", "onto", "or", "other", "others", "otherwise", "our", "out", "over", "own", "per", "quite", "rather", "really", "said", "same", "several", "shall", "she", "should", "since", "so", "some", "still", "such", "than", "that", "the", "their", "them", "then", "thence", "there", "thereby", "therefore", "therein", "thereof", "these", "they", "this", "those", "though", "three", "through", "throughout", "thus", "to", "together", "too", "toward", "towards", "two", "under", "until", "unto", "up", "upon", "us", "use", "used", "uses", "using", "very", "via", "was", "we", "well", "were", "what", "when", "where", "whereby", "wherein", "whether", "which", "while", "who", "whole", "whom", "whose", "why", "will", "with", "within", "without", "would", "yet", "you", "your", "s", "t", "vs", "al"]
)


@dataclass(frozen=True)
class TermConfig:
    """What counts as a term. The defaults were chosen on Patent Phrase's validation pairs."""

    passes: int = 2
    min_count: int = 10
    """A pair that occurs less often is no term."""
    min_npmi: float = 0.3


@dataclass(frozen=True)
class Pairs:
    """Neighbouring tokens to join: keys `a * names + b`, sorted, and how well each holds together."""

    keys: np.ndarray
    """int64 [n]."""
    strengths: np.ndarray
    """float32 [n], normalised mutual information."""

    def strength(self, keys: np.ndarray) -> np.ndarray:
        """float32, of each key; -2 where it is no pair to join."""
        if not len(self.keys):
            return np.full(len(keys), -2.0, np.float32)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, self.strengths[place], np.float32(-2.0))


def find_pairs(corpus: Corpus, config: TermConfig) -> Pairs:
    """The pairs of one pass."""
    names = np.int64(len(corpus.names))
    words = corpus.counts()
    words[: len(BREAKS)] = 0
    total = int(words.sum())
    # A pair cannot be frequent enough unless both its tokens are.
    first = np.array([_may_join(name) for name in corpus.names]) & (words >= config.min_count)
    keys, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for block in corpus.blocks():
        a, b = block[:-1].astype(np.int64), block[1:].astype(np.int64)
        both = first[a] & first[b]
        new, often = np.unique(a[both] * names + b[both], return_counts=True)
        keys, counts = _merge(keys, counts, new, often)
        if len(keys) > PAIRS_IN_MEMORY:  # as word2phrase: what was seen once so far is forgotten
            keys, counts = keys[counts > 1], counts[counts > 1]
    a, b = keys // names, keys % names
    long = np.array([name.count(JOINER) + 1 for name in corpus.names])
    kept = (counts >= config.min_count) & (long[a] + long[b] <= MAX_WORDS)
    keys, a, b, joint = keys[kept], a[kept], b[kept], counts[kept] / total
    npmi = (np.log(joint) - np.log(words[a] / total) - np.log(words[b] / total)) / -np.log(joint)
    kept = npmi >= config.min_npmi
    return Pairs(keys[kept], npmi[kept].astype(np.float32))


def _merge(
    keys: np.ndarray, counts: np.ndarray, new: np.ndarray, often: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums of two sorted tables of counts."""
    every = np.union1d(keys, new)
    total = np.zeros(len(every), np.int64)
    total[np.searchsorted(every, keys)] += counts
    total[np.searchsorted(every, new)] += often
    return every, total


def _may_join(name: str) -> bool:
    return len(name) > 1 and name not in FUNCTION_WORDS and not name.isdecimal()


def join_pairs(ids: np.ndarray, pairs: Pairs, names: int) -> np.ndarray:
    """Join pairs in a block of ids: int64, where `names + i` stands for pair number i.

    Of pairs that overlap, the one that holds together best is joined.
    """
    ids = ids.astype(np.int64)
    keys = ids[:-1] * names + ids[1:]
    strength = np.concatenate([[-2.0], pairs.strength(keys), [-2.0]])
    here = strength[1:-1]
    # Local maxima never overlap; of two equal ones the first is taken.
    joined = np.flatnonzero((here > -2.0) & (here > strength[:-2]) & (here >= strength[2:]))
    out = ids.copy()
    out[joined] = names + np.searchsorted(pairs.keys, keys[joined])
    return np.delete(out, joined + 1)


def join_terms(corpus: Corpus, config: TermConfig, out: Path) -> Corpus:
    """All passes; the corpus with its terms joined, written to a folder. Returns it opened."""
    for _ in range(config.passes):
        pairs = find_pairs(corpus, config)
        size = len(corpus.names)
        with atomic_write(out / IDS) as file:
            for block in corpus.blocks():
                file.write(join_pairs(block, pairs, size).astype(ID).tobytes())
        names = corpus.names + [
            corpus.names[key // size] + JOINER + corpus.names[key % size] for key in pairs.keys.tolist()
        ]
        corpus = Corpus(np.memmap(out / IDS, ID, "r"), names)
    corpus.save_names(out)
    return corpus
