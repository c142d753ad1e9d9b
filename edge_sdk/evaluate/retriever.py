"""Retrieval scores on labelled pictures, class by class: all pictures of a class have one text."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_sdk.errors import InputError
from edge_sdk.evaluate.data import invalid, read_tsv

if TYPE_CHECKING:
    from edge_sdk.tasks.retriever import Retriever

KS = (1, 5, 10)
PAIRS = "pairs.tsv"
HELD_OUT = ("test", "val", "valid", "validation", "dev")
"""The split that is scored: the first of these that a file has, else the split of its first row."""
BLOCK = 256


@dataclass(frozen=True)
class Pair:
    """A row of pairs.tsv: `image` is a path from the file's folder, or a member of a tar file there."""

    where: str
    split: str
    image: str
    name: str


def evaluate(retriever: Retriever, path: Path) -> dict[str, float]:
    """`retrieval_metrics` of a `pairs.tsv`, or of the folder that it lies in.

    The texts are the distinct names of one split (see HELD_OUT), as they stand; the pictures are
    the split's. Raises InputError: `data_unreadable`, `data_invalid`, and for a picture that
    cannot be decoded what `edge_sdk.images.load_image` raises.
    """
    path = path / PAIRS if path.is_dir() else path
    pairs = read_pairs(path)
    names = sorted({pair.name for pair in pairs})
    numbers = {name: i for i, name in enumerate(names)}
    images = np.empty((len(pairs), retriever.dimension), np.float32)
    for first in range(0, len(pairs), BLOCK):
        block = pairs[first : first + BLOCK]
        pixels = [retriever.preprocessing(file) for file in _files(path.parent, block)]
        images[first : first + BLOCK] = retriever.vectors(pixels)
    labels = np.array([numbers[pair.name] for pair in pairs])
    # Not batch(): a name may look like the path of a picture.
    texts = np.stack([retriever.text_vector(name) for name in names])
    return retrieval_metrics(texts, images, labels)


def retrieval_metrics(texts: np.ndarray, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Percentages of queries that are answered, by cosine.

    r@k: texts with a picture of their class among the k nearest pictures. image_r@k: pictures with
    their class's text among the k nearest texts. map: mean average precision of the texts'
    rankings. Of equal cosines the wrong ones come first. rows: pictures.

    Args:
        texts: float32 [classes, dimension], rows of length 1.
        images: float32 [images, dimension], rows of length 1.
        labels: integers [images], the class of each picture; every class has at least one.
    """
    similarity = texts @ images.T
    right = labels == np.arange(len(texts))[:, None]
    precisions, text_ranks = zip(*(_ranking(*row) for row in zip(similarity, right)))
    image_ranks = [_ranking(*column)[1] for column in zip(similarity.T, right.T)]
    return {
        **{f"r@{k}": 100 * float(np.mean(np.array(text_ranks) < k)) for k in KS},
        **{f"image_r@{k}": 100 * float(np.mean(np.array(image_ranks) < k)) for k in KS},
        "map": 100 * float(np.mean(precisions)),
        "rows": len(images),
    }


def _ranking(scores: np.ndarray, right: np.ndarray) -> tuple[float, int]:
    """Average precision of a ranking, and how many wrong ones stand before the first right one."""
    order = np.lexsort((right, -scores))
    places = np.flatnonzero(right[order])
    return float(np.mean(np.arange(1, len(places) + 1) / (places + 1))), int(places[0])


def read_pairs(path: Path) -> list[Pair]:
    """The rows of the split that is scored; columns `image` and `name` are needed, `split` is not."""
    rows = []
    for where, fields in read_tsv(path):
        if missing := [column for column in ("image", "name") if column not in fields]:
            raise invalid(where, f"no column {', '.join(missing)}, found {', '.join(fields)}")
        rows.append(Pair(where, fields.get("split", ""), fields["image"], fields["name"]))
    if not rows:
        raise invalid(str(path), "no rows")
    splits = {row.split for row in rows}
    chosen = next((split for split in HELD_OUT if split in splits), rows[0].split)
    return [row for row in rows if row.split == chosen]


def _files(folder: Path, pairs: Sequence[Pair]) -> Iterator[Path | io.BytesIO]:
    """The pictures of the pairs, in order."""
    packed = [pair for pair in pairs if not (folder / pair.image).is_file()]
    members = _members(folder, packed) if packed else {}
    for pair in pairs:
        yield io.BytesIO(members[pair.image]) if pair.image in members else folder / pair.image


def _members(folder: Path, pairs: Sequence[Pair]) -> Mapping[str, bytes]:
    """Pictures from the tar files of a folder."""
    wanted = {pair.image for pair in pairs}
    found: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.tar")):
        try:
            with tarfile.open(path) as archive:
                for member in archive:
                    if member.name in wanted - found.keys() and member.isfile():
                        found[member.name] = archive.extractfile(member).read()  # type: ignore[union-attr]
        except (OSError, EOFError, tarfile.TarError) as error:
            raise InputError(
                "data_unreadable", f"cannot read {path}: {error}", "check the path and the file"
            ) from error
    for pair in pairs:
        if pair.image not in found:
            raise invalid(pair.where, f"{pair.image} is neither a file nor in a tar file of {folder}")
    return found
