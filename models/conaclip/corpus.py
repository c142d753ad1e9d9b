"""A split in memory, ready to draw batches from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edge_sdk.images import Preprocessing
from edge_sdk.token_ids import TokenIds
from models.conaclip.augment import Augmentation, mix
from models.conaclip.data import Phrases, labels_of, read_descriptions, read_images, read_pairs
from models.conaclip.tokens import encode

MOST_TEXTS = 128
"""Classes that an image is told apart from in a step; of more, only those in the batch."""
COARSE_TEXTS = 16
DESCRIBED = 0.25
"""Share of the steps with sentences of descriptions. All texts of a step are of one kind, since they
are padded to the longest."""


@dataclass(frozen=True)
class Corpus:
    """Pictures, their classes, and what may be said of each class."""

    pictures: list[np.ndarray]
    labels: np.ndarray
    phrases: Phrases

    def whole(self, size: int, rows: np.ndarray | None = None) -> Tensor:
        """Pictures, all by default, as a device sees them: uint8 [rows, size, size, 3]."""
        prepare = preprocessing(size)
        chosen = range(len(self.pictures)) if rows is None else rows
        return torch.from_numpy(np.stack([prepare(self.pictures[row]) for row in chosen]))


def preprocessing(size: int) -> Preprocessing:
    """What the bundle's manifest says of pictures; training and device run the same code."""
    return Preprocessing(size, size, "bicubic", "center")


def load_corpus(folder: Path, split: str, phrases: Phrases | None = None) -> Corpus:
    """Read a split. `phrases` of the training split are those of all others."""
    pairs = read_pairs(folder, split)
    if not pairs:
        raise ValueError(f"{folder}/pairs.tsv has no rows of the split {split!r}")
    phrases = phrases or Phrases(pairs, read_descriptions(folder))
    return Corpus(read_images(folder, pairs), labels_of(pairs, phrases.names), phrases)


@dataclass(frozen=True)
class Batches:
    """Shuffled augmented batches of an epoch.

    Each is a dict: `pixels` uint8 [batch, size, size, 3]; `share` float32 [batch, classes], how much
    of each class is in a picture; `rows` int64 [batch]. All randomness is NumPy's global generator's.
    """

    corpus: Corpus
    batch: int
    sizes: tuple[int, ...] = (64, 80, 96)
    """Sides of the views; each batch draws one. Small ones are cheap, and a model that has seen
    several is less particular about how large things are."""
    view: Augmentation = Augmentation()
    mixing: float = 0.5
    """Probability that a batch is mixed with itself."""

    def __len__(self) -> int:
        return len(self.corpus.labels) // self.batch

    def description(self) -> dict[str, Any]:
        """What of it defines a training, as plain types."""
        about = {"batch": self.batch, "sizes": list(self.sizes), "mixing": self.mixing}
        return {**about, "view": asdict(self.view)}

    def __call__(self) -> Iterator[dict[str, Tensor]]:
        order = np.random.permutation(len(self.corpus.labels))
        classes = np.eye(len(self.corpus.phrases.names), dtype=np.float32)
        for number in range(len(self)):
            rows = order[number * self.batch : (number + 1) * self.batch]
            size = int(np.random.choice(self.sizes))
            views = np.stack([self.view(self.corpus.pictures[row], size) for row in rows])
            views, share = mix(views, classes[self.corpus.labels[rows]], self.mixing)
            yield {
                "pixels": torch.from_numpy(views),
                "share": torch.from_numpy(share),
                "rows": torch.from_numpy(rows),
            }


@dataclass(frozen=True)
class Texts:
    """Texts as numbers, and which classes each is true of: int64 [T, n], float32 [T, classes]."""

    tokens: Tensor
    true_of: Tensor


def class_texts(phrases: Phrases, reader: TokenIds, length: int, present: Tensor) -> Texts:
    """A random text for every class, or for those present where there are too many.

    Args:
        present: bool [classes], which classes are in the batch.
    """
    chosen: Sequence[int] = range(len(phrases.names))
    if len(chosen) > MOST_TEXTS:
        chosen = torch.nonzero(present)[:, 0].tolist()
    described = np.random.random() < DESCRIBED
    return _texts([phrases.draw(number, described) for number in chosen], phrases, reader, length)


def coarse_texts(phrases: Phrases, reader: TokenIds, length: int) -> Texts | None:
    """Random texts for some of the wider classes; None where there are none."""
    names = list(phrases.coarse)
    if not names:
        return None
    chosen = np.random.choice(len(names), min(COARSE_TEXTS, len(names)), replace=False)
    return _texts([phrases.draw_coarse(names[number]) for number in chosen], phrases, reader, length)


def _texts(drawn: list[tuple[str, set[int]]], phrases: Phrases, reader: TokenIds, length: int) -> Texts:
    true_of = torch.zeros(len(drawn), len(phrases.names))
    for number, (_, classes) in enumerate(drawn):
        true_of[number, sorted(classes)] = 1
    return Texts(encode(reader, [text for text, _ in drawn], length), true_of)
