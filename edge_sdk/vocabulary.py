"""Files of phrases as indexes: embedded once, and brought up to date when the file has changed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import InputError
from edge_sdk.files import read_text, remove_leftovers
from edge_sdk.index import VectorIndex, is_index

if TYPE_CHECKING:
    import numpy as np

    from edge_sdk.tasks.embedder import Candidates, Embedder

BLOCK = 1024
"""Phrases that a thread embeds in one go."""
SAVE_EVERY = 200 * BLOCK
"""Phrases after which a build saves what it has: killed, it goes on from there."""


def open_candidates(embedder: Embedder, among: Candidates) -> VectorIndex:
    """An index of phrases, of the lines of a file, or saved; see `Embedder.neighbours`."""
    if isinstance(among, VectorIndex):
        return among
    if isinstance(among, (str, os.PathLike)):
        path = Path(among)
        if is_index(path):
            return VectorIndex.open(path, embedder.bundle)
        phrases = read_phrases(path)
    else:
        phrases = list(among)
    index = VectorIndex(embedder.dimension, embedder.bundle)
    index.update(phrases, embedder.vectors(phrases))
    return index


def read_phrases(path: Path) -> list[str]:
    """Lines of a UTF-8 file, plain or gzipped, without those that are blank.

    Raises InputError: `data_unreadable`, `data_invalid` naming the line.
    """
    text = read_text(path, unreadable="data_unreadable", encoding="data_invalid")
    # Not splitlines(): it also splits at characters that a phrase may hold.
    lines = text.replace("\r\n", "\n").split("\n")
    return [line for line in lines if line.strip()]


def build(
    embedder: Embedder,
    source: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Bring the index file `out` up to date with the phrases of a file, one a line.

    New phrases are embedded, those that the file no longer has are removed, the others stay as they
    are. The index is saved now and then, each time whole and atomically.

    Args:
        threads: blocks of phrases are embedded by this many threads. The embedder itself should have
            been loaded with one.
        progress: called with the number of phrases embedded, and to be embedded.

    Returns:
        `index` (its path), `rows`, `added`, `updated` (always 0), `removed`, `skipped` (lines that
        repeat an earlier one).

    Raises:
        InputError: `data_unreadable`, `data_invalid`, `input_threads`.
        VectorIndexError: `out` is there and was made by another bundle, or is damaged or no index at
            all; it is left as it is. `index_write` where it cannot be written.
    """
    if threads < 1:
        raise InputError("input_threads", f"argument threads is {threads}", "give 1 or more")
    progress = progress or (lambda done, total: None)
    lines = read_phrases(Path(source))
    phrases = dict.fromkeys(lines)
    remove_leftovers(out)
    with _open_or_create(embedder, out) as index:
        known = set(index)
        removed = index.remove(known - phrases.keys())
        todo = [phrase for phrase in phrases if phrase not in known]
        done = 0
        progress(done, len(todo))
        try:
            for block, vectors in _embedded(embedder, todo, threads):
                index.update(block, vectors)
                done += len(block)
                progress(done, len(todo))
                if done % SAVE_EVERY == 0:
                    index.save(out)
        finally:  # Ctrl-C keeps what is done
            index.save(out)
        return {
            "index": os.fspath(out),
            "rows": len(index),
            "added": done,
            "updated": 0,
            "removed": removed,
            "skipped": len(lines) - len(phrases),
        }


def _open_or_create(embedder: Embedder, out: str | os.PathLike[str]) -> VectorIndex:
    if os.path.lexists(out):
        return VectorIndex.open(out, embedder.bundle)
    return VectorIndex(embedder.dimension, embedder.bundle)


def _embedded(
    embedder: Embedder, phrases: Sequence[str], threads: int
) -> Iterator[tuple[Sequence[str], np.ndarray]]:
    """Blocks of phrases with their vectors, in order, worked on by several threads."""
    blocks = (phrases[first : first + BLOCK] for first in range(0, len(phrases), BLOCK))
    pool = ThreadPoolExecutor(threads)
    waiting: deque[tuple[Sequence[str], Future[np.ndarray]]] = deque()
    try:
        for block in blocks:
            waiting.append((block, pool.submit(embedder.vectors, block)))
            if len(waiting) > 2 * threads:  # enough to keep the threads busy; the rest would cost memory
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    finally:
        pool.shutdown(cancel_futures=True)
