"""Raw text to a file of words: one document a line, words and breaks separated by spaces.

A break is "," where a phrase may not go on (comma, bracket, colon, ...) and "." at the end of a
sentence. Words are lower-cased, split at hyphens, and made by the runtime's own normalisation, so
that a word of the corpus and a word of a caller's phrase are the same string.
"""

from __future__ import annotations

import csv
import gzip
import lzma
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from edge_sdk.errors import InputError
from edge_sdk.files import atomic_write
from edge_sdk.phrase import normalise_phrase

BREAKS = frozenset(".,")
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


def write_words(folders: Sequence[Path], path: Path, share: float = 1.0, seed: int = 1) -> dict[str, int]:
    """Tokenise folders into one file; counts of documents and words.

    `share` keeps a random part of the documents (the curve over corpus size uses it); the part for
    a smaller share is within that for a larger one.
    """
    draw = random.Random(seed)
    counts = {"documents": 0, "words": 0}
    with atomic_write(path) as file:
        for text in documents(folders):
            if draw.random() < share:
                tokens = tokenise(text)
                file.write(" ".join(tokens).encode() + b"\n")
                counts["documents"] += 1
                counts["words"] += sum(token not in BREAKS for token in tokens)
    return counts


def read_words(path: Path) -> Iterator[list[str]]:
    """The documents of a file that `write_words` wrote."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield line.split()


def sentences(path: Path) -> Iterator[list[str]]:
    """Its sentences without breaks: what word vectors are trained on."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            for sentence in line.split(" ."):
                words = [word for word in sentence.split() if word not in BREAKS]
                if words:
                    yield words
