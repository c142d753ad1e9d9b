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

MARGIN = 4
"""Edges before and after every text that members get: as many as the deepest window encoder sees."""

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


def spaced(sentences: Sequence[Sentence], share: float) -> list[Sentence]:
    """The sentences with a space at some of their word borders, since users write such texts.

    Always the same borders.
    """
    draw = random.Random(0)

    def words(row: Sentence) -> Iterator[str]:
        for number, word in enumerate(row.words):
            if number and draw.random() < share:
                yield " "
            yield word

    return [Sentence(tuple(words(row)), row.criterion) for row in sentences]


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
    """Sentences as arrays: one long text, with MARGIN edges before, between and after them.

    `offsets[i]` is where sentence i begins, `lengths[i]` its characters.
    """

    def __init__(self, sentences: Sequence[Sentence], table: np.ndarray, buckets: int) -> None:
        self.sentences = sentences
        self.lengths = np.array([sum(map(len, row.words)) for row in sentences])
        self.offsets = MARGIN + np.cumsum([0, *(self.lengths[:-1] + MARGIN)])
        gap = "\n" * MARGIN
        self.text = gap + gap.join(row.text for row in sentences) + gap
        self.size = len(self.text)
        self.characters, self.bigrams, _ = prepare(self.text, table, buckets)
        self.tags = np.zeros(self.size, np.uint8)
        for row, offset, length in zip(sentences, self.offsets, self.lengths):
            self.tags[offset : offset + length] = word_tags(row.words)
        self.criteria = np.array([row.criterion for row in sentences])

    def find(self, words: Collection[str], only_here: Collection[str] = ()) -> Matches:
        """Where the words stand.

        A word of `only_here` is left out where it is a word of the sentence: in training, a word
        that nothing but this one sentence teaches must look as a new word will at run time.
        """
        listed = list(words)
        trie = Trie.build(listed, np.arange(len(listed), dtype=np.int32))
        starts, ends, numbers = trie.matches(plain_text(self.text))
        hidden = np.isin(numbers, [n for n, word in enumerate(listed) if word in only_here])
        kept = np.ones(len(starts), bool)
        for place in np.flatnonzero(hidden).tolist():
            row = self.sentences[np.searchsorted(self.offsets, starts[place], side="right") - 1]
            kept[place] = listed[numbers[place]] not in map(plain_text, row.words)
        return Matches(starts[kept], ends[kept], numbers[kept])

    def batch(self, rows: Sequence[int], features: np.ndarray) -> dict[str, Tensor]:
        """Padded arrays of some sentences of at most n characters: `characters`, `bigrams`,
        `lexicon` int64 [batch, n + 2 MARGIN]; `tags` int64 and `mask` float32 [batch, n];
        `criterion` int64 [batch]."""
        longest = int(self.lengths[rows].max())
        lengths = self.lengths[rows][:, None]
        columns = np.arange(longest + 2 * MARGIN)
        real = columns < lengths + 2 * MARGIN
        index = np.where(real, self.offsets[rows][:, None] - MARGIN + columns, 0)
        inputs = {"characters": self.characters, "bigrams": self.bigrams, "lexicon": features}
        batch = {
            name: torch.from_numpy(np.where(real, values[index], 0).astype(np.int64))
            for name, values in inputs.items()
        }
        mask = np.arange(longest) < lengths
        tags = np.where(mask, self.tags[index[:, MARGIN:-MARGIN]], 0)
        batch["tags"] = torch.from_numpy(tags.astype(np.int64))
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
