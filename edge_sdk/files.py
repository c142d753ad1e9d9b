"""Files: written so that a reader finds the old one or the new one, never a half; read as text."""

from __future__ import annotations

import gzip
import mmap
import os
import re
import secrets
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from edge_sdk.errors import InputError

LEFTOVER_SECONDS = 3600


def read_text(path: Path, *, unreadable: str, encoding: str) -> str:
    """A whole UTF-8 file, gzipped or plain, without its byte order mark.

    Raises InputError with one of the two codes given: `unreadable`, or `encoding`, which names the
    line of the first byte that is not UTF-8.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(
            unreadable, f"cannot read {path}: {error}", "check the path and the file"
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            encoding,
            f"{path}:{line}: byte {error.start} of the file is not UTF-8",
            "convert the file to UTF-8, for example with iconv",
        ) from error


def map_file(path: str | os.PathLike[str]) -> mmap.mmap | bytes:
    """The bytes of a file, mapped and read-only; b"" for an empty one, which cannot be mapped.

    Raises OSError, and ValueError for a path with a NUL.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the block ends without error.

    The temporary file lies in the same folder, since a rename is only atomic within one
    file system, and is flushed to the disk before the rename. On any error, a full disk or
    Ctrl-C, it is removed and `path` stays as it was. Raises OSError.
    """
    target = Path(path)
    # Not tempfile: it makes files that only the owner can read, whatever the umask says.
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o666), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove temporary files of `atomic_write(path)` that a killed process left, an hour after it.

    None is in use so long. What cannot be removed stays.
    """
    target = Path(path)
    pattern = re.compile(re.escape(f".{target.name}.") + r"\d+\.[0-9a-f]{8}\.tmp")
    try:
        for entry in os.scandir(target.parent):
            if pattern.fullmatch(entry.name) and entry.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
                os.unlink(entry.path)
    except OSError:
        return


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where folders can be opened (not on Windows)."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
