"""A graph over a saved index, for millions of rows: the nearest are found by walking, and scored exactly.

Hierarchical navigable small worlds (Malkov and Yashunin, 2016) by usearch, extra `[graph]`. Beside the
exact search it costs memory, minutes to build, and a few misses; below a million rows it is not needed.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

from edge_sdk.errors import EdgeError, InputError, VectorIndexError
from edge_sdk.files import atomic_write
from edge_sdk.index.index import Match, VectorIndex
from edge_sdk.index.quantise import check_vectors, quantise_query, quantise_rows
from edge_sdk.kernels import nearest

MAGIC = b"edgehnsw"
VERSION = 1
BREADTH = 128
"""Candidates that a walk keeps: more miss less and take longer."""
_HEADER = struct.Struct("<8sIIIQ36x")
"""Magic, version, checksum of the index, CRC-32 of the graph, its size."""


class GraphIndex:
    """Approximate search of one state of an index. Safe to share between threads."""

    def __init__(self, index: VectorIndex, graph: Any) -> None:
        """Use `build` or `open`."""
        self._content = index.content
        self._graph = graph
        self._lock = Lock()  # usearch has only as many walkers as the machine has cores

    @classmethod
    def build(cls, index: VectorIndex, path: str | os.PathLike[str], *, threads: int = 1) -> GraphIndex:
        """Make the graph of a saved index and write it to `path`, which the index must outlive.

        Raises VectorIndexError: `index_not_saved` where the index has changed since it was opened;
        `index_write`. EdgeError (`dependency_missing`) without usearch.
        """
        checksum, content = _saved(index), index.content
        graph = _empty(index.dimension)
        graph.add(np.arange(content.size), content.rows[: content.size], threads=threads)
        data = graph.save()
        try:
            with atomic_write(path) as file:
                file.write(_HEADER.pack(MAGIC, VERSION, checksum, zlib.crc32(data), len(data)))
                file.write(data)
        except OSError as error:
            raise VectorIndexError(
                "index_write",
                f"cannot write {path}: {error.strerror or error}",
                "check the folder, its permissions and the free space; an old file is unchanged",
            ) from error
        return cls(index, graph)

    @classmethod
    def open(cls, index: VectorIndex, path: str | os.PathLike[str]) -> GraphIndex:
        """Read the graph of an index that was opened from its file.

        Raises VectorIndexError: `index_not_saved`, `index_unreadable`, `index_not_an_index`,
        `index_version`, `index_damaged`, `index_graph_stale` where it belongs to another state of the
        index. EdgeError (`dependency_missing`) without usearch.
        """
        checksum = _saved(index)
        try:
            data = Path(path).read_bytes()
        except (OSError, ValueError) as error:
            raise VectorIndexError(
                "index_unreadable", f"cannot read {path}: {error}", "check the path, or build the graph"
            ) from error
        if len(data) < _HEADER.size or data[: len(MAGIC)] != MAGIC:
            raise VectorIndexError("index_not_an_index", f"{path} is no graph", "build the graph")
        _, version, of_index, own, size = _HEADER.unpack_from(data)
        body = memoryview(data)[_HEADER.size :]
        if version != VERSION:
            raise VectorIndexError(
                "index_version",
                f"{path} has format {version}, this runtime reads {VERSION}",
                "update edge-sdk, or build the graph again",
            )
        if len(body) != size or zlib.crc32(body) != own:  # before usearch, which trusts it, sees a byte
            raise VectorIndexError(
                "index_damaged", f"{path} is damaged: its size or checksum is wrong", "build the graph again"
            )
        if of_index != checksum:
            raise VectorIndexError(
                "index_graph_stale", f"{path} was made of another index", "build the graph again"
            )
        graph = _empty(index.dimension)
        graph.load(bytes(body))
        return cls(index, graph)

    def search(self, vector: np.ndarray, top: int = 10) -> list[Match]:
        """About the `top` nearest rows, best first, with the scores that the index itself gives.

        Raises InputError (`input_vector`, `input_top`).
        """
        content = self._content
        vector = check_vectors(vector, "vector", (content.rows.shape[1],))
        if not isinstance(top, int) or top < 0:
            raise InputError("input_top", f"argument top is {top!r}", "give an integer of at least 0")
        if top == 0 or content.size == 0:
            return []
        coarse, _ = quantise_rows(vector[None])
        with self._lock:
            found = self._graph.search(coarse[0], min(content.size, max(top, BREADTH)), threads=1)
        rows = np.sort(found.keys.astype(np.int64))  # so that of equal scores the older row comes first
        query, unit = quantise_query(vector)
        places, scores = nearest(content.rows[rows], content.scales[rows], query, unit, top)
        return [Match.of(content.keys[row], score) for row, score in zip(rows[places].tolist(), scores.tolist())]


def _saved(index: VectorIndex) -> int:
    checksum = index.content.checksum
    if checksum is None:
        raise VectorIndexError(
            "index_not_saved", "the index has changed since it was read", "save it, and open it again"
        )
    return checksum


def _empty(dimension: int) -> Any:
    return _usearch().Index(ndim=dimension, metric="cos", dtype="i8", expansion_search=BREADTH)


def _usearch() -> ModuleType:
    try:
        import usearch.index
    except ImportError as error:
        raise EdgeError(
            "dependency_missing", f"usearch cannot be imported: {error}", "pip install 'edge-sdk[graph]'"
        ) from error
    return usearch.index
