"""Reading MTOP and SNIPS, and turning rows into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from edge_sdk.evaluate.data import read_tsv
from edge_sdk.evaluate.tagger import TaggedRow, read_tagged_rows
from models.common.batching import length_sorted_batches
from models.pnlp_mixer.augment import Augmenter
from models.pnlp_mixer.features import WordTable
from models.pnlp_mixer.repair import repair_tags
from models.pnlp_mixer.retokenise import retokenise


def find_split(folder: Path, *names: str) -> Path:
    """The first of ``NAME.tsv.gz`` or ``NAME.tsv`` in a folder. Raises FileNotFoundError."""
    for name in names:
        for path in (folder / f"{name}.tsv.gz", folder / f"{name}.tsv"):
            if path.exists():
                return path
    raise FileNotFoundError(f"{folder} has no {' or '.join(names)}.tsv(.gz)")


def validation_path(folder: Path) -> Path:
    """The split that decides what is kept: `eval` of MTOP, `valid` of SNIPS."""
    return find_split(folder, "eval", "valid")


def read_training_rows(folder: Path) -> list[TaggedRow]:
    """The training split; where it has parses and texts (MTOP), with tags and words repaired."""
    path = find_split(folder, "train")
    rows = []
    columns = (fields for _, fields in read_tsv(path))
    for row, fields in zip(read_tagged_rows(path), columns, strict=True):
        if parse := fields.get("decoupled_parse"):
            tags = repair_tags(row.tokens, row.tags, parse)
            row = retokenise(TaggedRow(row.tokens, tags, row.intent), fields["utterance"])
        rows.append(row)
    return rows


@dataclass(frozen=True)
class Labels:
    """Names of tags and intents; a name's number is its place."""

    tags: tuple[str, ...]
    intents: tuple[str, ...]

    @staticmethod
    def of(rows: Sequence[TaggedRow]) -> Labels:
        """O first, then B and I of every slot label in the rows, whether or not both occur."""
        slots = sorted({tag[2:] for row in rows for tag in row.tags if tag != "O"})
        tags = ["O"] + [prefix + slot for slot in slots for prefix in ("B-", "I-")]
        return Labels(tuple(tags), tuple(sorted({row.intent for row in rows})))


@dataclass(frozen=True)
class Batch:
    """Padded utterances.

    words: int64 [batch, tokens], numbers in `table`, 0 where padded.
    mask: float32 [batch, tokens], 1 for tokens.
    tags: int64 [batch, tokens]; intents: int64 [batch].
    """

    table: WordTable
    words: Tensor
    mask: Tensor
    tags: Tensor
    intents: Tensor

    @property
    def features(self) -> Tensor:
        """float32 [batch, tokens, n_features], all zero where padded; looked up when asked for,
        so that a kept batch is small."""
        return self.table.features(self.words)


class BatchMaker:
    """Rows to batches, with labels as numbers. Labels unknown in training become number 0."""

    def __init__(self, words: WordTable, labels: Labels, batch_size: int) -> None:
        self._words, self._batch_size = words, batch_size
        self._tags = {tag: number for number, tag in enumerate(labels.tags)}
        self._intents = {intent: number for number, intent in enumerate(labels.intents)}

    def training(self, rows: Sequence[TaggedRow], augmenter: Augmenter) -> Iterator[Batch]:
        """One epoch: augmented rows in shuffled batches of similar length."""
        rows = [augmenter(row) for row in rows]
        lengths = [len(row.tokens) for row in rows]
        for places in length_sorted_batches(lengths, self._batch_size):
            yield self.batch([rows[place] for place in places])

    def batch(self, rows: Sequence[TaggedRow]) -> Batch:
        """Rows of any lengths, padded to the longest."""
        longest = max(len(row.tokens) for row in rows)
        words = torch.zeros(len(rows), longest, dtype=torch.int64)
        tags = torch.zeros(len(rows), longest, dtype=torch.int64)
        for place, row in enumerate(rows):
            n = len(row.tokens)
            words[place, :n] = torch.tensor(self._words.numbers(row.tokens))
            tags[place, :n] = torch.tensor([self._tags.get(tag, 0) for tag in row.tags])
        intents = torch.tensor([self._intents.get(row.intent, 0) for row in rows])
        return Batch(self._words, words, (words > 0).float(), tags, intents)
