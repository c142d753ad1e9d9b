"""The file of an index, `.evi`: docs/vector-index.md describes the format.

A header of 64 bytes, then sections in the order of `Content`, each at a multiple of 64 bytes, so that
the arrays can be used where they lie in the mapped file. Everything is little-endian.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from edge_sdk.errors import VectorIndexError
from edge_sdk.files import atomic_write, map_file
from edge_sdk.index.origin import Origin
from edge_sdk.kernels.reference.vectors import MAX_DIMENSION

MAGIC = b"edgevec\x00"
VERSION = 1
_HEADER = struct.Struct("<8sIIQQIII20x")  # the last number is the CRC-32 of those before it
_ALIGNMENT = 64
_MAX_ROWS = 2**31 - 1


@dataclass(frozen=True)
class Content:
    """What an index holds: `size` rows. The arrays may be longer; the rest is room to grow."""

    size: int
    rows: np.ndarray
    """int8 [>= size, d]"""
    scales: np.ndarray
    """float32 [>= size]"""
    stamps: np.ndarray
    """int64 [>= size]"""
    keys: Sequence[str]
    checksum: int | None = None
    """Of the file that it was read from; None after a change."""


class StoredKeys(Sequence[str]):
    """Keys in a mapped file, decoded when they are asked for.

    In UTF-8, where lone surrogates (names of files that are no UTF-8) have their three bytes too.
    """

    def __init__(self, offsets: np.ndarray, text: memoryview, path: Path) -> None:
        self._offsets, self._text, self._path = offsets, text, path

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        place = range(len(self))[place]  # raises IndexError
        start, end = self._offsets[place : place + 2].tolist()
        try:
            return str(self._text[start:end], "utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise _damaged(self._path, f"key {place} is not UTF-8") from error


def write(path: str | os.PathLike[str], content: Content, origin: Origin | None) -> None:
    """Write an index; on any error, and when killed, an old file stays as it was.

    Raises VectorIndexError (`index_write`).
    """
    n = content.size
    texts = [key.encode("utf-8", "surrogatepass") for key in content.keys[:n]]
    offsets = np.zeros(n + 1, "<u8")
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    source = json.dumps(None if origin is None else origin.to_dict()).encode()
    sections = (
        source, _bytes(content.rows[:n], "i1"), _bytes(content.scales[:n], "<f4"),
        _bytes(content.stamps[:n], "<i8"), _bytes(offsets, "<u8"), b"".join(texts),
    )  # fmt: skip
    try:
        with atomic_write(path) as file:
            file.write(bytes(_HEADER.size))
            checksum = 0
            for section in sections:
                for piece in (section, bytes(-len(section) % _ALIGNMENT)):
                    checksum = zlib.crc32(piece, checksum)
                    file.write(piece)
            file.seek(0)
            dimension, key_bytes = content.rows.shape[1], len(sections[-1])
            facts = (MAGIC, VERSION, dimension, n, key_bytes, len(source), checksum)
            file.write(_HEADER.pack(*facts, zlib.crc32(_HEADER.pack(*facts, 0))))
    except OSError as error:
        raise VectorIndexError(
            "index_write",
            f"cannot write {path}: {error.strerror or error}",
            "check the folder, its permissions and the free space; an old file is unchanged",
        ) from error


def is_index(path: Path) -> bool:
    """Whether a file begins as an index does; not so where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return False


def read(path: Path, verify: bool) -> tuple[Content, Origin | None]:
    """Map the file and check it; `verify` compares the checksum of all bytes too.

    Raises VectorIndexError: `index_not_found`, `index_unreadable`, `index_not_an_index`,
    `index_version`, `index_damaged`.
    """
    data = memoryview(_map(path))
    dimension, n, key_bytes, origin_bytes, checksum = _read_header(path, data)
    lengths = (origin_bytes, n * dimension, 4 * n, 8 * n, 8 * (n + 1), key_bytes)
    expected = _HEADER.size + sum(length + -length % _ALIGNMENT for length in lengths)
    if len(data) != expected:
        raise _damaged(path, f"it has {len(data)} bytes, its header says {expected}")
    if verify and zlib.crc32(data[_HEADER.size :]) != checksum:
        raise _damaged(path, "its checksum is wrong")
    origin, rows, scales, stamps, offsets, keys = _sections(data, lengths)
    places = np.frombuffer(offsets, "<u8")
    if places[0] != 0 or places[-1] != key_bytes or (places[1:] < places[:-1]).any():
        raise _damaged(path, "its keys do not lie one after the other")
    content = Content(
        n,
        np.frombuffer(rows, np.int8).reshape(n, dimension),
        np.frombuffer(scales, "<f4"),
        np.frombuffer(stamps, "<i8"),
        StoredKeys(places, keys, path),
        checksum,
    )
    if not np.isfinite(content.scales).all():
        raise _damaged(path, "a scale is no finite number")
    return content, _read_origin(path, bytes(origin))


def _read_header(path: Path, data: memoryview) -> tuple[int, int, int, int, int]:
    if len(data) < _HEADER.size or data[: len(MAGIC)] != MAGIC:
        raise VectorIndexError(
            "index_not_an_index", f"{path} is no index", "give a file that `edge-sdk index` wrote"
        )
    _, version, dimension, n, key_bytes, origin_bytes, checksum, own = _HEADER.unpack_from(data)
    if version != VERSION:
        raise VectorIndexError(
            "index_version",
            f"{path} has format {version}, this runtime reads {VERSION}",
            "update edge-sdk, or build the index again",
        )
    facts = (MAGIC, version, dimension, n, key_bytes, origin_bytes, checksum)
    if own != zlib.crc32(_HEADER.pack(*facts, 0)):
        raise _damaged(path, "the checksum of its header is wrong")
    if not 1 <= dimension <= MAX_DIMENSION or n > _MAX_ROWS:
        raise _damaged(path, f"its header says {n} rows of {dimension} numbers")
    return dimension, n, key_bytes, origin_bytes, checksum


def _read_origin(path: Path, text: bytes) -> Origin | None:
    try:
        found = json.loads(text)
        return None if found is None else Origin(**{key: str(found[key]) for key in found})
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged(path, f"what it says of its bundle cannot be read: {error}") from error


def _sections(data: memoryview, lengths: Sequence[int]) -> Iterator[memoryview]:
    start = _HEADER.size
    for length in lengths:
        yield data[start : start + length]
        start += length + -length % _ALIGNMENT


def _bytes(array: np.ndarray, dtype: str) -> memoryview:
    return np.ascontiguousarray(array, dtype).reshape(-1).view(np.uint8).data


def _map(path: Path) -> mmap.mmap | bytes:
    try:
        return map_file(path)
    except FileNotFoundError as error:
        raise VectorIndexError(
            "index_not_found", f"{path} does not exist", "check the path, or build it with `edge-sdk index`"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise VectorIndexError(
            "index_unreadable", f"cannot read {path}: {error}", "check the path and its permissions"
        ) from error


def _damaged(path: Path, what: str) -> VectorIndexError:
    return VectorIndexError("index_damaged", f"{path} is damaged: {what}", "build the index again")
