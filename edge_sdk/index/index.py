"""Vectors with keys, searched exactly: in memory, or mapped from a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_sdk.errors import InputError, VectorIndexError
from edge_sdk.index.file import Content, read, write
from edge_sdk.index.origin import Origin
from edge_sdk.index.quantise import check_vectors, quantise_query, quantise_rows
from edge_sdk.kernels import nearest
from edge_sdk.kernels.reference.vectors import MAX_DIMENSION

if TYPE_CHECKING:
    from edge_sdk.bundle import Bundle


class Match(NamedTuple):
    """A row that a search found: its key, and the cosine of the two vectors, -1 to 1."""

    key: str
    score: float

    @classmethod
    def of(cls, key: str, score: float) -> Match:
        """Rounding can lead a cosine of 1 just above it."""
        return cls(key, max(-1.0, min(1.0, score)))


class VectorIndex:
    """Directions of vectors as int8, one row a key, in the order in which keys were first added.

    A score is within 0.01 of the cosine of the float32 vectors for 50 dimensions and more, and
    typically within 0.001; what is found is exact for the int8 rows. Searching is safe from several
    threads, also while another one changes the index: a search sees all of a change or nothing.
    """

    def __init__(self, dimension: int, bundle: Bundle | None = None) -> None:
        """An empty index in memory, which remembers the bundle that makes its vectors.

        Raises InputError (`input_dimension`) unless `dimension` is from 1 to 8192.
        """
        if not isinstance(dimension, int) or not 1 <= dimension <= MAX_DIMENSION:
            raise InputError(
                "input_dimension", f"argument dimension is {dimension!r}", f"give 1 to {MAX_DIMENSION}"
            )
        nothing = Content(
            0, np.empty((0, dimension), np.int8), np.empty(0, np.float32), np.empty(0, np.int64), []
        )
        self._begin(nothing, None if bundle is None else Origin.of(bundle))

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], bundle: Bundle | None = None, *, verify: bool = True
    ) -> VectorIndex:
        """Map a saved index; with `bundle`, one that this very bundle made.

        `verify=False` does not compare the checksum of all bytes, which reads the whole file; a
        damaged one then gives wrong results, but never a crash.
        Raises VectorIndexError: `index_not_found`, `index_unreadable`, `index_not_an_index`,
        `index_version`, `index_damaged`, `index_other_bundle`.
        """
        content, origin = read(Path(path), verify)
        if bundle is not None and origin != (expected := Origin.of(bundle)):
            maker = "no bundle that is known" if origin is None else str(origin)
            raise VectorIndexError(
                "index_other_bundle",
                f"{path} was made by {maker}, this is {expected}",
                "build the index again with this bundle, or search with the bundle that made it",
            )
        index = cls.__new__(cls)
        index._begin(content, origin)
        return index

    def _begin(self, content: Content, origin: Origin | None) -> None:
        # Never changed in place: a change puts a new one here, and searches that run keep theirs.
        self._content: Content | None = content
        self._places: dict[str, int] | None = None  # by key, made when first needed
        self._lock = Lock()  # held by changes, and by what needs _places
        self.origin = origin
        self.dimension: int = content.rows.shape[1]

    def search(self, vector: np.ndarray, top: int = 10) -> list[Match]:
        """The `top` rows nearest to float32 [d], best first; of equal scores the older row.

        Raises InputError (`input_vector`, `input_top`), VectorIndexError (`index_closed`).
        """
        content = self._open()
        query, unit = quantise_query(check_vectors(vector, "vector", (self.dimension,)))
        if not isinstance(top, int) or top < 0:
            raise InputError("input_top", f"argument top is {top!r}", "give an integer of at least 0")
        n = content.size
        places, scores = nearest(content.rows[:n], content.scales[:n], query, unit, top)
        return [
            Match.of(content.keys[place], score)
            for place, score in zip(places.tolist(), scores.tolist())
        ]

    def update(
        self, keys: Sequence[str], vectors: np.ndarray, stamps: Iterable[int] | None = None
    ) -> None:
        """Add rows for new keys, and replace those of known ones; of equal keys the last counts.

        Args:
            keys: n strings.
            vectors: float32 [n, d] of any length; zeros have the score 0 with everything.
            stamps: n integers of 64 bits that mean something to the caller, such as when a file was
                changed; 0 where they are left out.

        Raises InputError (`input_keys`, `input_vector`, `input_stamps`); nothing is changed then.
        """
        keys = _check_keys(keys)
        rows, scales = quantise_rows(check_vectors(vectors, "vectors", (len(keys), self.dimension)))
        numbers = _check_stamps([0] * len(keys) if stamps is None else list(stamps), len(keys))
        with self._lock:
            content, places = self._open(), self._keyed()
            last = {key: i for i, key in enumerate(keys)}
            known = [(places[key], i) for key, i in last.items() if key in places]
            added = [(key, i) for key, i in last.items() if key not in places]
            chosen = [i for _, i in added]

            def changed(column: np.ndarray, values: np.ndarray) -> np.ndarray:
                if known:
                    column = column[: content.size].copy()
                    column[[place for place, _ in known]] = values[[i for _, i in known]]
                return _extended(column, content.size, values[chosen])

            columns = changed(content.rows, rows), changed(content.scales, scales), changed(content.stamps, numbers)
            names = content.keys if isinstance(content.keys, list) else list(content.keys)
            # Nothing above has changed what is there. Searches that run read no further than their size.
            names.extend(key for key, _ in added)
            places.update((key, content.size + i) for i, (key, _) in enumerate(added))
            self._content = Content(content.size + len(added), *columns, names)

    def remove(self, keys: Iterable[str]) -> int:
        """Remove the rows of these keys; returns how many there were."""
        with self._lock:
            content, places = self._open(), self._keyed()
            gone = {places[key] for key in _check_keys(keys) if key in places}
            if not gone:
                return 0
            kept = np.delete(np.arange(content.size), list(gone))
            names = [content.keys[place] for place in kept.tolist()]
            self._content = Content(
                len(kept), content.rows[kept], content.scales[kept], content.stamps[kept], names
            )
            self._places = None
            return len(gone)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to a file; an old one is replaced whole, or stays whole on any error.

        Raises VectorIndexError (`index_write`, `index_closed`).
        """
        write(path, self._open(), self.origin)

    def vector(self, key: str) -> np.ndarray:
        """float32 [d] of length 1, as the index keeps it. Raises InputError (`input_keys`)."""
        with self._lock:
            content, place = self._open(), self._place(key)
        return content.rows[place] * content.scales[place]

    def stamp(self, key: str) -> int:
        """The stamp of a key. Raises InputError (`input_keys`)."""
        with self._lock:
            return int(self._open().stamps[self._place(key)])

    def stamps(self) -> dict[str, int]:
        """The stamps of all keys, in the order of rows."""
        content = self._open()
        return dict(zip(content.keys[: content.size], content.stamps[: content.size].tolist()))

    def __len__(self) -> int:
        return self._open().size

    def __iter__(self) -> Iterator[str]:
        content = self._open()
        return iter(content.keys[: content.size])

    def __contains__(self, key: object) -> bool:
        with self._lock:
            return key in self._keyed()

    def close(self) -> None:
        """Let go of the memory and the mapped file. May be called again."""
        self._content = self._places = None

    def __enter__(self) -> VectorIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def content(self) -> Content:
        """The present state: never changed itself, it stays as it is when the index changes."""
        return self._open()

    def _open(self) -> Content:
        content = self._content
        if content is None:
            raise VectorIndexError("index_closed", "the index was used after close()", "open it again")
        return content

    def _keyed(self) -> dict[str, int]:
        if self._places is None:
            content = self._open()
            self._places = {key: i for i, key in enumerate(content.keys[: content.size])}
        return self._places

    def _place(self, key: str) -> int:
        places = self._keyed()
        if key not in places:
            raise InputError("input_keys", f"there is no row with the key {key!r:.80}", "add it first")
        return places[key]


def _extended(column: np.ndarray, size: int, more: np.ndarray) -> np.ndarray:
    """An array whose first `size` rows are those of `column`, and the next ones `more`.

    It is `column` itself where that has room behind its rows, which no one reads.
    """
    needed = size + len(more)
    if needed > len(column):
        grown = np.empty((max(needed, 2 * size), *column.shape[1:]), more.dtype)
        grown[:size] = column[:size]
        column = grown
    if len(more):
        column[size:needed] = more
    return column


def _check_keys(keys: object) -> list[str]:
    if isinstance(keys, (str, bytes)) or not isinstance(keys, Iterable):
        raise InputError("input_keys", f"argument keys is a {type(keys).__name__}", "give a list of str")
    found = list(keys)
    for i, key in enumerate(found):
        if not isinstance(key, str):
            raise InputError("input_keys", f"argument keys[{i}] is a {type(key).__name__}", "give a str")
    return found


def _check_stamps(stamps: list[int], n: int) -> np.ndarray:
    try:
        array = np.array(stamps, np.int64)
    except (OverflowError, TypeError, ValueError):
        array = np.empty(0, np.int64)
    if array.shape != (n,):
        raise InputError(
            "input_stamps", "argument stamps does not fit", f"give {n} integers of at most 64 bits"
        )
    return array
