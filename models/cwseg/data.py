"""Segmented corpora as arrays: characters, tags and what a lexicon says about them."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edge_sdk.characters import fold, plain_text, prepare
from edge_sdk.kernels import Trie, lexicon_features
from models.common.batching import length_sorted_batches
from models.cwseg.tags import word_tags

CRITERIA = ("weibo", "sxu", "udc")
"""The segmentation standards that a model is told by an input symbol; the first is the default."""
FOLDERS = {"weibo": "weibo_nlpcc2016", "sxu": "sxu", "udc": "udc"}
_HELD_OUT = 20  # a corpus without a dev file gives every 20th sentence


@dataclass(frozen=True)
class Sentence:
    """A segmented sentence and the index of its standard in CRITERIA."""

    words: tuple[str, ...]
    criterion: int

    @property
    def text(self) -> str:
        return "".join(self.words)


def read_sentences(path: Path, criterion: int) -> list[Sentence]:
    """One sentence a line, words separated by U+0020; gzipped if the name ends in .gz.

    Empty lines are left out. Raises OSError, UnicodeDecodeError.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        rows = (tuple(word for word in line.rstrip("\n").split(" ") if word) for line in file)
        return [Sentence(row, criterion) for row in rows if row]


def read_corpus(folder: Path, split: str, name: str) -> list[Sentence]:
    """A split ("train" or "dev") of the corpus `name`, under the folder that holds `cws`."""
    place = folder / "cws" / FOLDERS[name]
    criterion = CRITERIA.index(name)
    if (place / "dev.txt.gz").exists():
        return read_sentences(place / f"{split}.txt.gz", criterion)
    rows = read_sentences(place / "train.txt.gz", criterion)
    return [row for i, row in enumerate(rows) if (i % _HELD_OUT == 0) == (split == "dev")]


def frequent_characters(sentences: Sequence[Sentence], minimum: int = 2) -> list[str]:
    """Folded characters that occur at least `minimum` times, most frequent first."""
    counts = Counter(c for row in sentences for c in row.text)
    folded: Counter[str] = Counter()
    for character, count in counts.items():
        folded[fold(character)] += count
    return [c for c, count in sorted(folded.items(), key=lambda p: (-p[1], p[0])) if count >= minimum]


@dataclass(frozen=True)
class Matches:
    """Lexicon words found in all sentences of a corpus, laid end to end.

    `starts` and `ends` count characters; `words` numbers the words of the lexicon.
    """

    starts: np.ndarray
    ends: np.ndarray
    words: np.ndarray

    def features(self, size: int, drop: float = 0.0) -> np.ndarray:
        """Features as if a share `drop` of the lexicon's words were not in it: int32 [size]."""
        if not drop:
            return lexicon_features(size, self.starts, self.ends)
        missing = np.random.random(self.words.max(initial=0) + 1) < drop
        kept = ~missing[self.words]
        return lexicon_features(size, self.starts[kept], self.ends[kept])


class Corpus:
    """Sentences as arrays laid end to end; `offsets[i]` is where sentence i begins."""

    def __init__(self, sentences: Sequence[Sentence], table: np.ndarray, buckets: int) -> None:
        self.sentences = sentences
        self.lengths = np.array([sum(map(len, row.words)) for row in sentences])
        self.offsets = np.concatenate([[0], np.cumsum(self.lengths)])
        self.size = int(self.offsets[-1])
        parts = [prepare(row.text, table, buckets) for row in sentences]
        self.characters = np.concatenate([part[0] for part in parts])
        self.bigrams = np.concatenate([part[1] for part in parts])
        self.tags = np.concatenate([word_tags(row.words) for row in sentences])
        self.criteria = np.array([row.criterion for row in sentences])

    def find(self, words: Collection[str], only_here: Collection[str] = ()) -> Matches:
        """Where the words stand.

        A word of `only_here` is left out where it is a word of the sentence: in training, a word
        that nothing but this one sentence teaches must look as a new word will at run time.
        """
        listed = list(words)
        trie = Trie.build(listed, np.arange(len(listed), dtype=np.int32))
        starts, ends, numbers = [], [], []
        for row, offset in zip(self.sentences, self.offsets.tolist()):
            found = trie.matches(plain_text(row.text))
            kept = np.ones(len(found.starts), bool)
            own = {plain_text(word) for word in row.words}.intersection(only_here)
            if own:
                kept = np.array([listed[number] not in own for number in found.values], bool)
            starts.append(found.starts[kept] + np.int32(offset))
            ends.append(found.ends[kept] + np.int32(offset))
            numbers.append(found.values[kept])
        return Matches(np.concatenate(starts), np.concatenate(ends), np.concatenate(numbers))

    def batch(self, rows: Sequence[int], features: np.ndarray) -> dict[str, Tensor]:
        """Padded arrays of some sentences: `characters`, `bigrams`, `lexicon`, `tags` int64
        [batch, characters], `criterion` int64 [batch], `mask` float32 [batch, characters]."""
        width = int(self.lengths[rows].max())
        index = self.offsets[rows][:, None] + np.arange(width)
        mask = np.arange(width) < self.lengths[rows][:, None]
        index = np.where(mask, index, 0)
        columns = {
            "characters": self.characters,
            "bigrams": self.bigrams,
            "lexicon": features,
            "tags": self.tags,
        }
        batch = {
            name: torch.from_numpy(np.where(mask, values[index], 0).astype(np.int64))
            for name, values in columns.items()
        }
        batch["criterion"] = torch.from_numpy(self.criteria[rows])
        batch["mask"] = torch.from_numpy(mask.astype(np.float32))
        return batch


class TrainingBatches:
    """Shuffled batches of an epoch, with a share of the lexicon's words forgotten anew each time.

    With probability `bare` a sentence sees no lexicon at all, so that the model works without one.
    """

    def __init__(
        self, corpus: Corpus, matches: Matches, size: int, drop: float, bare: float
    ) -> None:
        self.corpus, self.matches, self.size = corpus, matches, size
        self.drop, self.bare = drop, bare

    def __len__(self) -> int:
        return -(-len(self.corpus.lengths) // self.size)

    def __call__(self) -> Iterator[dict[str, Tensor]]:
        features = self.matches.features(self.corpus.size, self.drop)
        for rows in length_sorted_batches(self.corpus.lengths.tolist(), self.size):
            batch = self.corpus.batch(rows, features)
            seen = torch.tensor([[random.random() >= self.bare] for _ in rows])
            batch["lexicon"] *= seen
            yield batch
