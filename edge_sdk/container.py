"""The zip layout of a bundle: written in exactly one way, and read only if it is that way.

Members are stored, aligned to 64 bytes, with nothing between them and nothing after the end
record. Given the members' names, sizes, checksums and order, every other byte of the file
follows; the reader computes those bytes and compares, so no flipped bit goes unseen.
The format is the zip of PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12
(central directory) and 4.3.16 (end record).
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edge_sdk.errors import BundleError

ALIGNMENT = 64
"""A cache line, and enough for any vector load on memory-mapped weights."""

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_PADDING = struct.Struct("<3H")
_VERSION_MADE_BY = 3 << 8 | 20  # unix, zip 2.0
_VERSION_NEEDED = 20
_DATE, _TIME = 1 << 5 | 1, 0  # 1980-01-01 00:00, the first that zip knows
_MODE = (stat.S_IFREG | 0o644) << 16
_PADDING_ID = 0xD935  # the extra field that Android's zipalign uses: alignment, then zeros
_HINT = "the file is damaged or was not written by edge_sdk: copy or export it again"


@dataclass(frozen=True, slots=True)
class Member:
    """A stored file: `offset` of its local header, `size` of its data in bytes."""

    name: str
    size: int
    crc32: int
    offset: int

    @property
    def data_offset(self) -> int:
        """Where the data begins: the first multiple of 64 that leaves room for the header."""
        header_end = self.offset + _LOCAL.size + len(self.name) + _PADDING.size
        return -(-header_end // ALIGNMENT) * ALIGNMENT

    @property
    def data_end(self) -> int:
        return self.data_offset + self.size

    def local_header(self) -> bytes:
        """The bytes from `offset` to `data_offset`."""
        name = self.name.encode("ascii")
        extra = self.data_offset - self.offset - _LOCAL.size - len(name)
        return (
            _LOCAL.pack(
                b"PK\3\4", _VERSION_NEEDED, 0, 0, _TIME, _DATE,
                self.crc32, self.size, self.size, len(name), extra,
            )
            + name
            + _PADDING.pack(_PADDING_ID, extra - 4, ALIGNMENT).ljust(extra, b"\0")
        )  # fmt: skip

    def central_header(self) -> bytes:
        name = self.name.encode("ascii")
        return (
            _CENTRAL.pack(
                b"PK\1\2", _VERSION_MADE_BY, _VERSION_NEEDED, 0, 0, _TIME, _DATE,
                self.crc32, self.size, self.size, len(name), 0, 0, 0, 0, _MODE, self.offset,
            )
            + name
        )  # fmt: skip


def pack(files: Mapping[str, bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The pieces of the archive in order; equal files give equal bytes.

    Raises BundleError (`bundle_zip64`) where the archive would pass 4 GiB.
    """
    offset, directory = 0, []
    for name, data in files.items():
        size = memoryview(data).nbytes
        member = Member(name, size, zlib.crc32(data), offset)
        if member.data_end >= 0xFFFFFFFF:
            raise BundleError("bundle_zip64", f"{name} would end past 4 GiB", "split the bundle")
        directory.append(member)
        yield member.local_header()
        yield data
        offset = member.data_end
    yield _tail(directory)


def unpack(data: memoryview) -> list[Member]:
    """The members in their order, once all bytes outside of their data are as `pack` writes them.

    Refuses whatever a bundle never holds, each with its own code of BundleError: not a zip,
    truncated, links, paths, duplicates, compressed or encrypted members, zip64, overlaps,
    and last `bundle_layout`, any other difference. The members' data is not looked at.
    """
    count, start = _read_end(data)
    members: list[Member] = []
    offset, stop = start, len(data) - _END.size
    for _ in range(count):
        if offset + _CENTRAL.size > stop:
            raise _damaged("the central directory ends within an entry")
        fields = _CENTRAL.unpack_from(data, offset)
        offset += _CENTRAL.size
        name = bytes(data[offset : min(offset + fields[10], stop)])
        offset += sum(fields[10:13])
        members.append(_checked(name, fields))
    if offset != stop:
        raise _damaged(f"the central directory has {stop - start} bytes, its entries {offset - start}")
    _refuse_duplicates(members)
    _refuse_overlaps(members, start)
    _compare_layout(data, members)
    return members


def _compare_layout(data: memoryview, members: list[Member]) -> None:
    offset = 0
    for member in members:
        header = data[member.offset : member.data_offset]
        if member.offset != offset or header != member.local_header():
            raise BundleError(
                "bundle_layout",
                f"the local header of {member.name} at byte {member.offset} "
                "differs from the central directory",
                _HINT,
            )
        offset = member.data_end
    if data[offset:] != _tail(members):
        raise BundleError(
            "bundle_layout", f"the central directory at byte {offset} is not as expected", _HINT
        )


def _tail(members: list[Member]) -> bytes:
    """The central directory and the end record."""
    directory = b"".join(member.central_header() for member in members)
    start = members[-1].data_end if members else 0
    count = len(members)
    return directory + _END.pack(b"PK\5\6", 0, 0, count, count, len(directory), start, 0)


def _read_end(data: memoryview) -> tuple[int, int]:
    """Number of members and offset of the central directory, from the last 22 bytes."""
    starts_as_zip = data[:4] == b"PK\3\4"
    if len(data) < _END.size or data[-_END.size :][:4] != b"PK\5\6":
        if starts_as_zip:
            raise BundleError(
                "bundle_truncated",
                f"the file of {len(data)} bytes does not end with a zip's end record",
                "the file is incomplete or has bytes after its end: copy it again",
            )
        raise BundleError(
            "bundle_not_a_zip", "the file is not a zip", "give the path of an .edge file"
        )
    _, disk, first_disk, here, count, size, start, _ = _END.unpack_from(data, len(data) - _END.size)
    if 0xFFFF in (disk, here, count) or 0xFFFFFFFF in (size, start):
        raise BundleError("bundle_zip64", "the archive is a zip64", _HINT)
    if disk or first_disk or here != count:
        raise _damaged("the archive is spread over several disks")
    if start + size != len(data) - _END.size:
        raise BundleError(
            "bundle_truncated",
            f"the central directory should end at byte {start + size}, "
            f"it ends at {len(data) - _END.size}",
            "the file is incomplete or joined from others: copy it again",
        )
    return count, start


def _checked(raw_name: bytes, fields: tuple[Any, ...]) -> Member:
    _, made_by, _, flags, method, _, _, crc32, compressed, size = fields[:10]
    mode, offset = fields[15] >> 16, fields[16]
    shown = raw_name.decode("ascii", "backslashreplace")
    if fields[0] != b"PK\1\2":
        raise _damaged("an entry of the central directory has no signature")
    if not shown or any(part in shown for part in ("/", "\\", ":", "\0")) or shown.startswith("."):
        raise BundleError(
            "bundle_member_path",
            f"member {shown!r:.80} is not a plain file name",
            "do not open it: a bundle never holds paths",
        )
    if made_by >> 8 == 3 and stat.S_ISLNK(mode):
        raise BundleError(
            "bundle_member_link",
            f"member {shown!r:.80} is a link",
            "do not open it: a bundle never holds links",
        )
    if flags & 1:
        raise BundleError("bundle_member_encrypted", f"member {shown!r:.80} is encrypted", _HINT)
    if 0xFFFFFFFF in (compressed, size, offset):
        raise BundleError("bundle_zip64", f"member {shown!r:.80} is a zip64 member", _HINT)
    if method or compressed != size:
        raise BundleError(
            "bundle_member_compressed",
            f"member {shown!r:.80} is compressed (method {method}), expected stored (0)",
            _HINT,
        )
    if not raw_name.isascii():
        raise BundleError("bundle_member_path", f"member {shown!r:.80} is not ASCII", _HINT)
    return Member(shown, size, crc32, offset)


def _refuse_duplicates(members: list[Member]) -> None:
    seen: set[str] = set()
    for member in members:
        # Some file systems ignore case, so names that differ only by it count as equal.
        if member.name.lower() in seen:
            raise BundleError("bundle_member_duplicate", f"member {member.name} is there twice", _HINT)
        seen.add(member.name.lower())


def _refuse_overlaps(members: list[Member], directory: int) -> None:
    end, last = 0, "the start of the file"
    for member in sorted(members, key=lambda member: member.offset):
        if member.offset < end:
            raise BundleError(
                "bundle_member_overlap",
                f"member {member.name} at byte {member.offset} begins before the end of {last}",
                _HINT,
            )
        # The shortest that it can be, whoever wrote it; `_compare_layout` is exact.
        end, last = member.offset + _LOCAL.size + len(member.name) + member.size, member.name
    if end > directory:
        raise BundleError(
            "bundle_member_overlap", f"member {last} runs into the central directory", _HINT
        )


def _damaged(what: str) -> BundleError:
    return BundleError("bundle_directory", what, _HINT)
