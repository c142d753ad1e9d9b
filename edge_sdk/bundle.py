"""The `.edge` file: opened only when every byte of it is as its manifest says.

docs/bundle-format.md describes the format.
"""

from __future__ import annotations

import hashlib
import io
import json
import mmap
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_sdk import __version__, container
from edge_sdk.errors import BundleError
from edge_sdk.files import atomic_write, map_file
from edge_sdk.manifest import FORMAT_VERSION, Manifest, parse_manifest

if TYPE_CHECKING:
    import numpy as np

MANIFEST = "manifest.json"
_MAX_MANIFEST = 1 << 20  # 1 MiB: it is parsed before anything vouches for it


class Bundle:
    """An open, verified bundle. Safe to use from several threads.

    The file is memory-mapped: what `read` returns is not copied, and is shared between
    processes. Replace a bundle that is in use by renaming, as `write_bundle` does, never
    by writing into it.
    """

    def __init__(self, path: Path, data: memoryview) -> None:
        """Check `data`, the bytes of the file at `path`. Use `Bundle.open`."""
        self.path = path
        self.size = len(data)
        members = container.unpack(data)
        self.manifest: Manifest = _read_manifest(data, members)
        _compare_members(self.manifest, members)
        views = {m.name: data[m.data_offset : m.data_end] for m in members}
        for file in self.manifest.files:
            found = hashlib.sha256(views[file.name]).hexdigest()
            if found != file.sha256:
                raise BundleError(
                    "bundle_hash",
                    f"{file.name}: sha256 is {found}, the manifest says {file.sha256}",
                    "the file is damaged: copy it again",
                )
        self._views: dict[str, memoryview] = views
        self._data = data

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Bundle:
        """Map the file and check all of it, before any parser or engine sees a byte.

        Raises BundleError: `bundle_unreadable`, or one code for each fault that
        docs/bundle-format.md lists.
        """
        path = Path(path)
        return cls(path, memoryview(_map(path)))

    def read(self, name: str) -> memoryview:
        """The verified bytes of a member, read-only and not copied; valid after `close()` too.

        Raises BundleError (`bundle_member_missing`, `bundle_closed`).
        """
        if not self._views:
            raise BundleError("bundle_closed", f"{self.path} is closed", "open it again")
        if name not in self._views:
            raise BundleError(
                "bundle_member_missing",
                f"{self.path.name} has no member {name!r}, it has {', '.join(self._views)}",
                "export the bundle again",
            )
        return self._views[name]

    def __contains__(self, name: str) -> bool:
        return name in self._views

    def read_json(self, name: str) -> Any:
        """A member parsed as JSON. Raises BundleError (`bundle_member_json`)."""
        try:
            return json.loads(bytes(self.read(name)))
        except (ValueError, RecursionError) as error:
            raise BundleError(
                "bundle_member_json", f"{name} is not JSON: {error}", "export the bundle again"
            ) from error

    def read_array(self, name: str) -> np.ndarray:
        """A `.npy` member as a read-only array on the mapped file, without a copy.

        Never unpickles. Raises BundleError (`bundle_member_npy`).
        """
        import numpy as np

        view = self.read(name)
        try:
            header = io.BytesIO(bytes(view[:16384]))  # longer headers are refused by NumPy
            if np.lib.format.read_magic(header) != (1, 0):
                raise ValueError("only version 1.0 of .npy is read")
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(header)
            if dtype.hasobject or dtype.names or min(shape, default=0) < 0:
                raise ValueError(f"a plain array is expected, found {dtype} {shape}")
            array = np.frombuffer(view[header.tell() :], dtype)
            return array.reshape(shape, order="F" if fortran else "C")
        except (ValueError, TypeError, OverflowError, EOFError) as error:
            raise BundleError(
                "bundle_member_npy",
                f"{name} is not a .npy array: {error}",
                "export the bundle again",
            ) from error

    def release(self) -> None:
        """Let the system take back the memory of what was read so far, where it can be told to.

        For after the check and after an engine made its own copy of a graph. Views stay valid:
        their pages are mapped again when they are next looked at.
        """
        mapped = self._data.obj
        if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Let go of the mapping; it ends when the last view on it does. May be called again."""
        self._views = {}
        self._data = memoryview(b"")

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def write_bundle(
    path: str | os.PathLike[str],
    manifest: Mapping[str, Any],
    files: Mapping[str, bytes | memoryview],
) -> None:
    """Write a bundle; equal arguments give equal bytes.

    `manifest` is the JSON object without `format_version` and `files`, which are filled in
    here; `files` maps member names to their bytes, in the order in which they are stored.
    The new file is opened and verified before it takes the place of an old one, which
    stays whole on any error, a full disk or Ctrl-C.
    Raises BundleError: `bundle_write` when the disk refuses, else what `Bundle.open` raises.
    """
    if MANIFEST in files:
        raise BundleError(
            "bundle_member_duplicate",
            f"argument files holds {MANIFEST}, which is written from argument manifest",
            "leave it out",
        )
    listed = [
        {"name": name, "size": memoryview(data).nbytes, "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
    ]
    complete = {"format_version": FORMAT_VERSION, **manifest, "files": listed}
    text = json.dumps(complete, ensure_ascii=False, allow_nan=False, indent=1)
    members = {MANIFEST: text.encode("utf-8"), **files}
    try:
        with atomic_write(path) as file:
            file.writelines(container.pack(members))
            file.flush()
            Bundle(Path(path), memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
    except OSError as error:
        raise BundleError(
            "bundle_write",
            f"cannot write {path}: {error.strerror or error}",
            "check the folder, its permissions and the free space; an old file is unchanged",
        ) from error


def _map(path: Path) -> mmap.mmap | bytes:
    try:
        return map_file(path)
    except FileNotFoundError as error:
        raise BundleError(
            "bundle_not_found", f"{path} does not exist", "check the path of the bundle"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise BundleError(
            "bundle_unreadable",
            f"cannot read {path}: {error}",
            "check the path and its permissions",
        ) from error


def _read_manifest(data: memoryview, members: list[container.Member]) -> Manifest:
    if not members or members[0].name != MANIFEST:
        found = members[0].name if members else "nothing"
        raise BundleError(
            "bundle_no_manifest",
            f"the first member is {found}, expected {MANIFEST}",
            "this zip is not a bundle: give the path of an .edge file",
        )
    member = members[0]
    if member.size > _MAX_MANIFEST:
        raise BundleError(
            "bundle_size",
            f"{MANIFEST} has {member.size} bytes, expected at most {_MAX_MANIFEST}",
            "export the bundle again",
        )
    content = bytes(data[member.data_offset : member.data_end])
    if zlib.crc32(content) != member.crc32:
        raise BundleError(
            "bundle_hash",
            f"{MANIFEST}: CRC-32 is {zlib.crc32(content):08x}, the zip says {member.crc32:08x}",
            "the file is damaged: copy it again",
        )
    return parse_manifest(content, __version__)


def _compare_members(manifest: Manifest, members: list[container.Member]) -> None:
    """The archive holds the files that the manifest lists: all, no other, of that size."""
    found = {member.name: member.size for member in members[1:]}
    for file in manifest.files:
        if file.name not in found:
            raise BundleError(
                "bundle_member_missing",
                f"{file.name} is in the manifest and not in the archive",
                "the bundle was changed after its export: export it again",
            )
        size = found.pop(file.name)
        if size != file.size:
            raise BundleError(
                "bundle_size",
                f"{file.name} has {size} bytes, the manifest says {file.size}",
                "the bundle was changed after its export: export it again",
            )
    if found:
        raise BundleError(
            "bundle_member_extra",
            f"{', '.join(found)} is in the archive and not in the manifest",
            "the bundle was changed after its export: export it again",
        )
