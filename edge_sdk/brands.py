"""Brand names, found in a query by longest match before words are cut into pieces.

A brand file is UTF-8 (gzipped or plain), one brand a line:

    Dabur
    Kwality Walls

Blank lines are skipped, what follows a tab is ignored, a brand given twice counts once, a first
line "brand" is a header. Upper and lower case are the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Union

from edge_sdk.errors import InputError
from edge_sdk.files import read_text
from edge_sdk.kernels import Trie
from edge_sdk.query_text import normalise

LONGEST_BRAND = 100
"""Characters."""


class BrandList:
    """Names of brands. Never changes; safe to share between threads and translators."""

    def __init__(self, names: Iterable[str]) -> None:
        """`names` are normalised (`edge_sdk.query_text.normalise`); `of` takes any."""
        self.names = tuple(dict.fromkeys(names))
        # The space makes every match end with a word; of two matches the longest is whole words too.
        self._trie = Trie.build([f"{name} " for name in self.names])

    @classmethod
    def of(cls, names: Iterable[str]) -> BrandList:
        """A list of some names. Raises InputError (`brands_type`, `brands_name`) that names the place."""
        if isinstance(names, (str, bytes)):
            raise InputError("brands_type", "argument brands is one str", "give a path object or a list of str")
        return cls(_checked((f"argument brands[{i}]", name) for i, name in enumerate(names)))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> BrandList:
        """Read a brand file.

        Raises InputError: `brands_unreadable`; `brands_encoding` or `brands_name`, which name the line.
        """
        text = read_text(Path(path), unreadable="brands_unreadable", encoding="brands_encoding")
        lines = text.replace("\r\n", "\n").split("\n")
        names = [(f"{path}:{number}", line.partition("\t")[0]) for number, line in enumerate(lines, 1)]
        if names and names[0][1].strip().lower() == "brand":
            del names[0]
        return cls(_checked((where, name) for where, name in names if name.strip()))

    def split(self, text: str) -> Iterator[tuple[str, bool]]:
        """The words of a normalised text, where a brand counts as one word: (word, is a brand).

        At each word the longest brand that begins there is taken.
        """
        padded, start, end = f"{text} ", 0, len(text)
        while start < end:
            found = self._trie.longest(padded, start) if self.names else None
            stop = found[0] - 1 if found else padded.index(" ", start)
            yield padded[start:stop], found is not None
            start = stop + 1

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: str) -> bool:
        return f"{name} " in self._trie


BrandsLike = Union[BrandList, "Iterable[str]", str, "os.PathLike[str]"]
"""A brand list, or what one is made of: names, or the path of a file."""


def as_brands(value: BrandsLike) -> BrandList:
    """Make a BrandList of what a caller gave. Raises InputError, as `BrandList.of` and `load`."""
    if isinstance(value, BrandList):
        return value
    if isinstance(value, (str, os.PathLike)):
        return BrandList.load(value)
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return BrandList.of(value)
    raise InputError(
        "brands_type",
        f"argument brands is a {type(value).__name__}",
        "give the path of a file, a list of names, or a BrandList",
    )


def _checked(names: Iterable[tuple[str, object]]) -> Iterator[str]:
    """Normalised names, each with where it stands. Raises InputError (`brands_name`)."""
    for where, name in names:
        normalised = normalise(name) if isinstance(name, str) else ""
        if not 1 <= len(normalised) <= LONGEST_BRAND:
            raise InputError(
                "brands_name",
                f"{where}: {name!r:.60} is no name of 1 to {LONGEST_BRAND} characters",
                "write one brand a line",
            )
        yield normalised
