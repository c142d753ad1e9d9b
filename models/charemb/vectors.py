"""An embedding matrix with its vocabulary, and the formats that it is read from.

- word2vec text: a header line "rows dimension", then "text v1 v2 ..." a line;
- GloVe text: the same without a header;
- ``.npy``: a float matrix, with ``vocabulary.txt`` beside it (or given), a text a line.

Terms may be written "machine_learning" or "machine learning"; a text that normalisation changes is
stored as normalised, so that training sees what the runtime will see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_sdk.errors import InputError
from edge_sdk.files import atomic_write
from edge_sdk.phrase import normalise_phrase

VOCABULARY = "vocabulary.txt"
VECTORS = "vectors.npy"
COUNTS = "counts.npy"


@dataclass(frozen=True)
class Matrix:
    """Texts and their vectors.

    Attributes:
        texts: normalised, no two equal.
        vectors: float32 [texts, dimension], finite, no row all zero.
        counts: int64 [texts], occurrences in the corpus; all 1 where they are not known.
    """

    texts: list[str]
    vectors: np.ndarray
    counts: np.ndarray

    @property
    def dimension(self) -> int:
        return int(self.vectors.shape[1])

    @classmethod
    def of(cls, texts: Sequence[str], vectors: np.ndarray, counts: Sequence[int]) -> Matrix:
        """From texts that are normalised; of a text that is there twice, the first is kept."""
        rows = {text: row for row, text in reversed(list(enumerate(texts)))}
        kept = sorted(rows.values())
        found = np.asarray(counts, np.int64)[kept]
        return cls([texts[row] for row in kept], np.asarray(vectors, np.float32)[kept], found)

    def save(self, folder: Path) -> None:
        """Write ``vectors.npy``, ``counts.npy`` and ``vocabulary.txt`` into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in ((VECTORS, self.vectors), (COUNTS, self.counts)):
            with atomic_write(folder / name) as file:
                np.save(file, array)
        with atomic_write(folder / VOCABULARY) as file:
            file.write(("\n".join(self.texts) + "\n").encode())


def read_matrix(path: Path, vocabulary: Path | None = None) -> Matrix:
    """Read a matrix: a folder that `Matrix.save` wrote, a text file, or an ``.npy`` file.

    Raises InputError: `matrix_not_found`, `matrix_shape`, `matrix_ragged`, `matrix_number`,
    `matrix_not_finite`, `matrix_duplicate`, `matrix_empty_text`, `matrix_zero`; the message names
    the file and the line (of the vocabulary, for ``.npy``).
    """
    if path.is_dir():
        path = path / VECTORS
    if not path.is_file():
        raise InputError("matrix_not_found", f"{path}: no such file", "give a matrix, or build one with models.charemb.matrix")  # fmt: skip
    if path.suffix == ".npy":
        return _read_npy(path, vocabulary or path.parent / VOCABULARY)
    texts, rows, first = [], [], 1
    for line, (text, row) in enumerate(_rows(path), 1):
        if row is None:
            first = 2
            continue
        texts.append(text)
        rows.append(row)
    if not rows:
        raise InputError("matrix_shape", f"{path}: no vectors", "is it a word2vec or GloVe text file?")
    return _checked(path, first, texts, np.stack(rows), None)


def _rows(path: Path) -> Iterator[tuple[str, np.ndarray | None]]:
    """(text, vector) of each line; the vector is None for a word2vec header."""
    width: int | None = None
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            fields = line.rstrip(" \r\n").split(" ")
            if number == 1 and len(fields) == 2 and all(field.isdecimal() for field in fields):
                width = int(fields[1])
                yield "", None
                continue
            if width is None:
                width = len(fields) - 1
            if width < 1 or len(fields) < width + 1:
                raise InputError(
                    "matrix_ragged",
                    f"{path}, line {number}: {max(0, len(fields) - 1)} numbers, {width} expected",
                    "every line must be a text and as many numbers as the others",
                )
            # A text may itself have spaces: the numbers are the last `width` fields.
            try:
                row = np.array([float(field) for field in fields[-width:]], np.float32)
                longer = len(fields) > width + 1 and _is_number(fields[-width - 1])
            except ValueError as error:
                raise InputError("matrix_number", f"{path}, line {number}: {error}") from None
            if longer:
                raise InputError(
                    "matrix_ragged",
                    f"{path}, line {number}: more than the {width} numbers expected",
                    "every line must be a text and as many numbers as the others",
                )
            yield " ".join(fields[:-width]), row


def _is_number(field: str) -> bool:
    """Whether a field before the vector is one more number of it, and no part of the text."""
    try:
        float(field)
    except ValueError:
        return False
    return "." in field


def _read_npy(path: Path, vocabulary: Path) -> Matrix:
    if not vocabulary.is_file():
        raise InputError("matrix_not_found", f"{vocabulary}: no such file", "a .npy needs its vocabulary, a text a line")  # fmt: skip
    vectors = np.load(path, allow_pickle=False)
    texts = vocabulary.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or len(vectors) != len(texts):
        raise InputError(
            "matrix_shape",
            f"{path}: {vectors.dtype} {list(vectors.shape)}, {vocabulary}: {len(texts)} lines",
            "give a matrix of floats with one row for each line of the vocabulary",
        )
    counts = path.parent / COUNTS
    found = np.load(counts, allow_pickle=False) if path.name == VECTORS and counts.exists() else None
    return _checked(vocabulary, 1, texts, vectors.astype(np.float32), found)


def _checked(
    path: Path, first: int, texts: list[str], vectors: np.ndarray, counts: np.ndarray | None
) -> Matrix:
    """`first` is the line of `path` that has the first text."""
    bad = ~np.isfinite(vectors).all(1)
    if bad.any():
        line = first + int(bad.argmax())
        raise InputError("matrix_not_finite", f"{path}, line {line}: NaN or infinity in the vector", "remove the line")  # fmt: skip
    zero = ~vectors.any(1)
    if zero.any():
        line = first + int(zero.argmax())
        raise InputError("matrix_zero", f"{path}, line {line}: a vector of zeros has no direction", "remove the line")  # fmt: skip
    seen: dict[str, int] = {}
    kept: list[int] = []
    for row, text in enumerate(texts):
        plain = normalise_phrase(text)
        if not text.strip():
            raise InputError("matrix_empty_text", f"{path}, line {first + row}: no text", "remove the line")  # fmt: skip
        if not plain:  # punctuation: no phrase at run time
            continue
        earlier = seen.get(plain)
        if earlier is not None:
            if texts[earlier] == text:
                raise InputError(
                    "matrix_duplicate",
                    f"{path}, lines {first + earlier} and {first + row}: {text!r} twice",
                    "keep one of the lines",
                )
            continue  # "The" after "the": the first, more frequent as a rule, is kept
        seen[plain] = row
        kept.append(row)
    return Matrix(
        list(seen),
        np.ascontiguousarray(vectors[kept]),
        np.ones(len(kept), np.int64) if counts is None else counts[kept],
    )
