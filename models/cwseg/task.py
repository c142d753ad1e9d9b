"""Everything that training needs from the data folder, worked out once."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np

from edge_sdk.characters import identity_table, vocabulary
from models.cwseg.data import (
    CRITERIA,
    Corpus,
    Matches,
    Sentence,
    TrainingBatches,
    frequent_characters,
    read_corpus,
    spaced,
)
from models.cwseg.model import Member
from models.cwseg.validate import word_f1
from models.cwseg.words import builtin_words, corpus_words, external_words

SPACED = 0.02
"""Share of the word borders in training sentences that get a space."""


@dataclass(frozen=True)
class Task:
    """Training and validation data of some corpora, and the lexicon that goes with them."""

    names: list[str]
    """The character of each identity."""
    words: dict[str, float]
    """The built-in lexicon."""
    corpus: Corpus
    matches: Matches
    dev: Mapping[str, tuple[Corpus, np.ndarray]]
    """For each corpus: its development sentences, and their lexicon features."""
    test: Mapping[str, tuple[Corpus, np.ndarray]] = field(default_factory=dict)
    """In small experiments: development sentences that are in no other part and choose nothing."""

    def batches(self, size: int, drop: float, bare: float) -> TrainingBatches:
        """See `TrainingBatches`."""
        return TrainingBatches(self.corpus, self.matches, size, drop, bare)

    def validate(self, member: Member) -> dict[str, float]:
        """F1 on each development set, by the corpus's name; then their `mean`, and `test`, the mean
        of the test sets where there are any."""
        found = {name: word_f1(member, *data) for name, data in self.dev.items()}
        found["mean"] = fmean(found.values())
        if self.test:
            found["test"] = fmean(word_f1(member, *data) for data in self.test.values())
        return found


def prepare(
    folder: Path,
    criteria: Sequence[str] = CRITERIA,
    buckets: int = 1 << 15,
    sentences: int | None = None,
    characters: Sequence[str] | None = None,
) -> Task:
    """Read the corpora `criteria` under `folder`.

    Args:
        sentences: for small experiments, only the first so many sentences of each corpus; half as
            many of its development sentences choose, as many others are the test.
        characters: identities of an earlier training to keep, instead of the corpora's own.
    """
    train: list[Sentence] = []
    for name in criteria:
        train += read_corpus(folder, "train", name)[:sentences]
    names = list(characters) if characters else vocabulary(frequent_characters(train))
    table = identity_table(names)
    external = external_words(folder)
    counts = corpus_words(train)
    words = builtin_words(external, counts)
    once_elsewhere = {w for w, count in counts.items() if count == 2 and w not in external}
    corpus = Corpus(spaced(train, SPACED), table, buckets)
    dev: dict[str, tuple[Corpus, np.ndarray]] = {}
    test: dict[str, tuple[Corpus, np.ndarray]] = {}
    for name in criteria:
        rows = read_corpus(folder, "dev", name)
        half = len(rows) if sentences is None else min(sentences, len(rows)) // 2
        for sets, part in ((dev, rows[:half]), (test, rows[half : 2 * half])):
            if part:
                data = Corpus(part, table, buckets)
                sets[name] = (data, data.find(words).features(data.size))
    print(
        f"{len(train)} sentences, {corpus.size} characters, {len(names)} identities, "
        f"{len(words)} words",
        file=sys.stderr,
    )
    return Task(names, words, corpus, corpus.find(words, once_elsewhere), dev, test)
