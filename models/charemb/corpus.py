"""Raw text to a file of token numbers.

Words are made by the runtime's own normalisation, so that a word of the corpus and a word of a
caller's phrase are the same string. Between them stand breaks: the end of a document, the end of a
sentence, and pauses (comma, bracket, colon, ...) where no phrase goes on.
"""

from __future__ import annotations

import csv
import gzip
import lzma
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from edge_sdk.errors import InputError
from edge_sdk.files import atomic_write
from edge_sdk.phrase import normalise_phrase

BREAKS = ("", ".", ",")
"""Names of the breaks: numbers 0, 1 and 2 of every corpus."""
DOCUMENT, SENTENCE, PAUSE = range(3)
IDS, NAMES = "words.u32", "words.txt"
ID = np.dtype("<u4")
TEXT_COLUMNS = ("title", "abstract", "text", "description", "claims")
"""Columns of a TSV that are read, in this order; the others are metadata."""
_OPENERS = {".gz": gzip.open, ".xz": lzma.open}
# A full stop within a word breaks nothing: "3.5", "e.g", "U.S".
_PIECES = re.compile(
    r"""(?P<end> [.!?;]+ ) | (?P<pause> [,:()\[\]{}<>=+*/|\\"“”«»]+ )
      | [^\s.!?;,:()\[\]{}<>=+*/|\\"“”«»]+ (?: \.+ [^\s.!?;,:()\[\]{}<>=+*/|\\"“”«»]+ )*""",
    re.VERBOSE,
)


def documents(folders: Sequence[Path]) -> Iterator[str]:
    """The texts of all .txt (a document a line) and .tsv files under folders, plain, .gz or .xz.

    Files come in sorted order. Raises InputError `corpus_not_found` for a folder without such
    files, `corpus_columns` for a TSV without a column of `TEXT_COLUMNS`.
    """
    for folder in folders:
        names = sorted(p for p in folder.rglob("*") if _kind(p) in (".txt", ".tsv"))
        if not names:
            raise InputError("corpus_not_found", f"{folder}: no .txt or .tsv file", "give a folder of text")
        for path in names:
            with _open(path) as file:
                yield from _rows(path, file) if _kind(path) == ".tsv" else filter(str.strip, file)


def _kind(path: Path) -> str:
    plain = path.with_suffix("") if path.suffix in _OPENERS else path
    return plain.suffix


def _open(path: Path) -> IO[str]:
    return _OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8", errors="replace")


def _rows(path: Path, file: Iterable[str]) -> Iterator[str]:
    rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(rows, [])
    wanted = [header.index(name) for name in TEXT_COLUMNS if name in header]
    if not wanted:
        raise InputError(
            "corpus_columns", f"{path}: columns {header}, none of {list(TEXT_COLUMNS)}", "rename a column"
        )
    for row in rows:
        yield " . ".join(row[column] for column in wanted if column < len(row))


def tokenise(text: str) -> list[str]:
    """Words and breaks of one document; never two breaks in a row."""
    tokens: list[str] = []
    for piece in _PIECES.finditer(text):
        if piece.lastgroup is None:
            tokens.extend(normalise_phrase(piece[0]).split())
        elif tokens and tokens[-1] not in BREAKS:
            tokens.append("." if piece.lastgroup == "end" else ",")
    return tokens


def encode(folders: Sequence[Path], out: Path, share: float = 1.0, seed: int = 1) -> dict[str, int]:
    """Tokenise folders into ``words.u32`` and ``words.txt`` in a folder; counts of what was found.

    ``words.u32`` has the corpus as numbers of lines of ``words.txt`` (little-endian, 32 bits), so
    that later stages are array operations over a file of any size. `share` keeps a random part of
    the documents; the part for a smaller share is within that for a larger one.
    """
    draw = random.Random(seed)
    numbers = {name: number for number, name in enumerate(BREAKS)}
    found = {"documents": 0, "words": 0}
    with atomic_write(out / IDS) as file:
        for text in documents(folders):
            if draw.random() >= share:
                continue
            block = [numbers.setdefault(token, len(numbers)) for token in tokenise(text)]
            file.write(np.array([*block, DOCUMENT], ID).tobytes())
            found["documents"] += 1
            found["words"] += sum(number >= len(BREAKS) for number in block)
    with atomic_write(out / NAMES) as file:
        file.write("\n".join(numbers).encode())
    return {**found, "types": len(numbers) - len(BREAKS)}


@dataclass(frozen=True)
class Corpus:
    """An encoded corpus: token numbers (mapped, not read) and their names."""

    ids: np.ndarray
    """uint32 [tokens], breaks included."""
    names: list[str]

    @staticmethod
    def open(folder: Path) -> Corpus:
        """What `encode` or `models.charemb.terms.join_terms` wrote. Raises OSError."""
        names = (folder / NAMES).read_text(encoding="utf-8").split("\n")
        return Corpus(np.memmap(folder / IDS, ID, "r"), names)

    def save_names(self, folder: Path) -> None:
        with atomic_write(folder / NAMES) as file:
            file.write("\n".join(self.names).encode())

    def blocks(self, size: int = 1 << 22) -> Iterator[np.ndarray]:
        """The ids in pieces of about `size`, each ending with a document's end."""
        first = 0
        while first < len(self.ids):
            ends = np.flatnonzero(self.ids[first : first + size] == DOCUMENT)
            while not len(ends):  # a document longer than a block
                size *= 2
                ends = np.flatnonzero(self.ids[first : first + size] == DOCUMENT)
            yield np.asarray(self.ids[first : first + ends[-1] + 1])
            first += int(ends[-1]) + 1

    def counts(self) -> np.ndarray:
        """How often each name occurs: int64 [names]."""
        total = np.zeros(len(self.names), np.int64)
        for block in self.blocks():
            total += np.bincount(block, minlength=len(self.names))
        return total

    def sentences(self) -> Iterator[list[str]]:
        """Sentences as lists of names, without breaks."""
        names = self.names
        for block in self.blocks():
            block = block[block != PAUSE]
            ends = np.flatnonzero(block < len(BREAKS))
            first = 0
            numbers = block.tolist()
            for end in ends.tolist():
                if end > first:
                    yield [names[number] for number in numbers[first:end]]
                first = end + 1
