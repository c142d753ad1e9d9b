"""The pictures below a folder as an index: built once, then only what is new or changed is encoded.

The index is saved every few seconds, each time as a whole and atomically. Whenever a build is
killed, the file holds what was encoded so far, and the next build goes on from there.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from edge_sdk.errors import InputError
from edge_sdk.files import remove_leftovers
from edge_sdk.images import SUFFIXES
from edge_sdk.index import VectorIndex

if TYPE_CHECKING:
    import numpy as np

    from edge_sdk.tasks.retriever import Retriever

BLOCK = 8
"""Pictures that a thread decodes and encodes in one go."""
SAVE_SECONDS = 5.0
SAVE_SHARE = 20
"""At least this many times as long as a save took is worked before the next one."""
MAX_PROBLEMS = 1000
"""Skipped files that are named in a report; all are counted."""


class Problem(NamedTuple):
    """A file or folder that was skipped, and why."""

    path: str
    message: str


@dataclass
class Report:
    """What a build did; each number counts pictures, unless it says otherwise."""

    index: str
    """Path of the index file."""
    rows: int = 0
    """In the index now, below whichever folders."""
    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: int = 0
    """Could not be read; folders that could not be listed count too."""
    other_files: int = 0
    """Whose names are not those of pictures."""
    folder_links: int = 0
    """Symbolic links to folders: they are not followed, since they may lead round in circles."""
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)

    def skip(self, path: str, why: str) -> None:
        """Count and remember something that was skipped."""
        self.skipped += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(path, why))

    def to_dict(self) -> dict[str, Any]:
        """The fields by name; `problems` is a list of objects with `path` and `message`."""
        return {**asdict(self), "problems": [problem._asdict() for problem in self.problems]}


def build(
    retriever: Retriever,
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Bring the index file `out` up to date with the pictures below `folder`.

    Pictures that are new, or whose size or time of change differ, are encoded; those that are gone
    are removed; those of other folders stay. Keys are absolute paths. Files are pictures by their
    names (`edge_sdk.images.SUFFIXES`); one that cannot be read is counted and skipped.

    Args:
        threads: pictures are decoded and encoded by this many threads. The retriever itself should
            have been loaded with one.
        progress: called with the number of pictures encoded, and to be encoded; with 0, 0 while
            the folder is searched.

    Raises:
        InputError: `index_folder` where `folder` is none, `input_threads`.
        VectorIndexError: `out` is there and was made by another bundle, or is damaged or no index
            at all; it is left as it is. `index_write` where it cannot be written.
        EdgeError: `dependency_missing` where Pillow is not installed.
    """
    root = _checked_folder(folder)
    if threads < 1:
        raise InputError("input_threads", f"argument threads is {threads}", "give 1 or more")
    progress = progress or (lambda done, total: None)
    started = time.monotonic()
    report = Report(os.fspath(out))
    with _open_or_create(retriever, out) as index:
        progress(0, 0)
        saver = _Saver(index, out)
        todo = _compare(index, root, report, saver)
        done = 0
        progress(done, len(todo))
        try:
            for paths, vectors, problems in _encoded(retriever, list(todo), threads):
                known = sum(path in index for path in paths)
                report.updated += known
                report.added += len(paths) - known
                index.update(paths, vectors, [todo[path] for path in paths])
                # A vector of what the file held before would be found, and be wrong.
                report.removed += index.remove(problem.path for problem in problems)
                for problem in problems:
                    report.skip(*problem)
                done += len(paths) + len(problems)
                saver.changed()
                progress(done, len(todo))
        finally:  # Ctrl-C keeps what is done
            saver.save()
        report.rows = len(index)
    report.seconds = round(time.monotonic() - started, 3)
    return report


def _checked_folder(folder: str | os.PathLike[str]) -> str:
    root = os.path.abspath(folder)
    if not os.path.isdir(root):
        raise InputError(
            "index_folder", f"{folder} is no folder", "give the folder that the pictures are in"
        )
    return root


def _open_or_create(retriever: Retriever, out: str | os.PathLike[str]) -> VectorIndex:
    """The index file; an empty one is written first where there is none, so that there always is one."""
    remove_leftovers(out)
    if os.path.lexists(out):
        return VectorIndex.open(out, retriever.bundle)
    index = VectorIndex(retriever.dimension, retriever.bundle)
    index.save(out)
    return index


def _compare(index: VectorIndex, root: str, report: Report, saver: _Saver) -> dict[str, int]:
    """Remove what is gone from the index; returns stamps of what has to be encoded, by path, in order."""
    found, unlisted = _pictures(root, report)
    below = os.path.join(root, "")
    known = {path: stamp for path, stamp in index.stamps().items() if path.startswith(below)}
    # What lies in a folder that cannot be listed just now is not gone.
    gone = [path for path in known if path not in found and not path.startswith(unlisted)]
    if gone:
        report.removed += index.remove(gone)
        saver.changed()
    todo = {path: found[path] for path in sorted(found) if known.get(path) != found[path]}
    report.unchanged = len(found) - len(todo)
    return todo


def _pictures(root: str, report: Report) -> tuple[dict[str, int], tuple[str, ...]]:
    """Stamps of the pictures below a folder, by path; and the folders that could not be listed."""
    found: dict[str, int] = {}
    unlisted: list[str] = []
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        _look_at(entry, found, report)
        except OSError as error:
            report.skip(folder, f"cannot be listed: {error.strerror or error}")
            unlisted.append(os.path.join(folder, ""))
    return found, tuple(unlisted)


def _look_at(entry: os.DirEntry[str], found: dict[str, int], report: Report) -> None:
    is_picture = entry.name.lower().endswith(SUFFIXES)
    if not is_picture and not entry.is_symlink():
        report.other_files += 1
        return
    try:
        status = entry.stat()  # of what a link leads to
    except OSError as error:
        if is_picture:
            report.skip(entry.path, error.strerror or str(error))
        else:
            report.other_files += 1
        return
    if stat.S_ISDIR(status.st_mode):
        report.folder_links += 1
    elif not is_picture:
        report.other_files += 1
    elif stat.S_ISREG(status.st_mode):
        found[entry.path] = _stamp(status)
    else:
        report.skip(entry.path, "is not a file")


def _stamp(status: os.stat_result) -> int:
    """64 bits of size and time of change: another number where either differs."""
    facts = b"%d %d" % (status.st_size, status.st_mtime_ns)
    digest = hashlib.blake2b(facts, digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


_Encoded = tuple[list[str], "np.ndarray", list[Problem]]


def _encoded(retriever: Retriever, paths: Sequence[str], threads: int) -> Iterator[_Encoded]:
    """Blocks of pictures, in order: paths and vectors of those that could be read, and the others."""
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[_Encoded]] = deque()
    try:
        for first in range(0, len(paths), BLOCK):
            waiting.append(pool.submit(_encode, retriever, paths[first : first + BLOCK]))
            if len(waiting) > 2 * threads:  # enough to keep the threads busy; the rest would cost memory
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _encode(retriever: Retriever, paths: Sequence[str]) -> _Encoded:
    pixels, readable, problems = [], [], []
    for path in paths:
        try:
            pixels.append(retriever.preprocessing(path))
            readable.append(path)
        except InputError as error:
            problems.append(Problem(path, error.message))
    return readable, retriever.vectors(pixels), problems


class _Saver:
    """Saves an index that changes, now and then."""

    def __init__(self, index: VectorIndex, path: str | os.PathLike[str]) -> None:
        self._index, self._path = index, path
        self._dirty = False
        self._next = time.monotonic() + SAVE_SECONDS

    def changed(self) -> None:
        """Note a change, and save if it is time."""
        self._dirty = True
        if time.monotonic() >= self._next:
            self.save()

    def save(self) -> None:
        """Save what has changed since the last time."""
        if not self._dirty:
            return
        started = time.monotonic()
        self._index.save(self._path)
        self._dirty = False
        ended = time.monotonic()
        self._next = ended + max(SAVE_SECONDS, SAVE_SHARE * (ended - started))
