"""Saved indexes: damaged, forged, of another bundle, written by a process that is killed."""

from __future__ import annotations

import copy
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.errors import EdgeError, VectorIndexError
from edge_sdk.index import VectorIndex
from tests.conftest import child_environment

KEYS = ["lithium ion battery", "Zoë", "", "\udcff"]
VECTORS = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
STAMPS = [1, -2, 2**62, 0]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "terms.evi"
    index = VectorIndex(5)
    index.update(KEYS, VECTORS, STAMPS)
    index.save(path)
    return path


def failure(path: Path, **options: object) -> str:
    with pytest.raises(VectorIndexError) as caught:
        VectorIndex.open(path, **options)
    assert str(path) in caught.value.message and caught.value.hint
    return caught.value.code


def test_read_by_hand(saved):
    """The documented layout, read with nothing of the package."""
    data = saved.read_bytes()
    magic, version, dimension, n, key_bytes, origin, checksum = struct.unpack_from("<8sIIQQII", data)
    assert (magic, version, dimension, n, key_bytes) == (b"edgevec\0", 1, 5, 4, len("lithium ion batteryZoë".encode()) + 3)
    assert checksum == zlib.crc32(data[64:])
    sections, start = [], 64
    for length in (origin, 4 * 5, 4 * 4, 4 * 8, 5 * 8, key_bytes):
        assert start % 64 == 0
        sections.append(data[start : start + length])
        start += -(-length // 64) * 64
    assert start == len(data)
    assert sections[0] == b"null"
    rows = np.frombuffer(sections[1], "i1").reshape(4, 5) * np.frombuffer(sections[2], "<f4")[:, None]
    assert np.allclose(rows, VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True), atol=0.01)
    assert np.frombuffer(sections[3], "<i8").tolist() == STAMPS
    ends = np.frombuffer(sections[4], "<u8").tolist()
    keys = [sections[5][a:b].decode("utf-8", "surrogatepass") for a, b in zip(ends, ends[1:])]
    assert keys == KEYS


def test_equal_indexes_are_equal_files(saved, tmp_path):
    index = VectorIndex.open(saved)
    index.save(tmp_path / "again.evi")
    assert (tmp_path / "again.evi").read_bytes() == saved.read_bytes()


def test_an_empty_index(tmp_path):
    VectorIndex(5).save(tmp_path / "empty.evi")
    index = VectorIndex.open(tmp_path / "empty.evi")
    assert (len(index), index.dimension, list(index)) == (0, 5, [])
    assert index.search(np.ones(5, np.float32)) == []
    index.update(["a"], np.ones((1, 5), np.float32))
    assert [match.key for match in index.search(np.ones(5, np.float32))] == ["a"]


def test_an_open_file_may_be_replaced(saved):
    """A reader keeps the rows that it opened."""
    reader = VectorIndex.open(saved)
    writer = VectorIndex.open(saved)
    writer.remove(KEYS[:3])
    writer.save(saved)
    assert list(reader) == KEYS
    assert [m.key for m in reader.search(VECTORS[0], 1)] == KEYS[:1]
    assert list(VectorIndex.open(saved)) == KEYS[3:]


def test_every_flipped_byte_is_found(saved):
    data = bytearray(saved.read_bytes())
    for place in range(44):  # the header
        flipped = copy.copy(data)
        flipped[place] ^= 0x41
        saved.write_bytes(flipped)
        expected = ("index_not_an_index",) if place < 8 else ("index_version", "index_damaged")
        assert failure(saved) in expected
    for place in range(64, len(data)):
        flipped = copy.copy(data)
        flipped[place] ^= 0x41
        saved.write_bytes(flipped)
        assert failure(saved) == "index_damaged"


def test_every_length_but_the_right_one_is_refused(saved):
    data = saved.read_bytes()
    for length in [*range(0, len(data), 7), len(data) - 1, len(data) + 1, len(data) + 64]:
        saved.write_bytes((data + bytes(64))[:length])
        assert failure(saved) == ("index_not_an_index" if length < 64 else "index_damaged")


def test_unverified_damage_never_crashes(saved):
    """Whatever the sections hold: an error that is ours, or a result."""
    data = saved.read_bytes()
    generator = np.random.default_rng(1)
    for _ in range(300):
        damaged = bytearray(data)
        for place in generator.integers(64, len(data), 6):
            damaged[place] = generator.integers(256)
        saved.write_bytes(damaged)
        try:
            index = VectorIndex.open(saved, verify=False)
            index.search(VECTORS[0], 4)
            list(index)
            index.update(["new"], VECTORS[:1])
        except EdgeError as error:
            assert error.code in ("index_damaged", "not_a_number")


def test_a_forged_header_is_refused(saved):
    """Sizes that overflow or ask for more than there is, with checksums that fit."""
    data = bytearray(saved.read_bytes())
    for place, form, value in [
        (12, "<I", 0), (12, "<I", 9000), (16, "<Q", 2**63), (16, "<Q", 2**31), (16, "<Q", 5),
        (24, "<Q", 2**64 - 1), (24, "<Q", 10**6), (32, "<I", 2**32 - 1),
    ]:  # fmt: skip
        forged = copy.copy(data)
        struct.pack_into(form, forged, place, value)
        struct.pack_into("<I", forged, 40, zlib.crc32(bytes(forged[:40]) + bytes(24)))
        saved.write_bytes(forged)
        assert failure(saved) == "index_damaged"


def test_not_readable(tmp_path):
    assert failure(tmp_path / "nothing.evi") == "index_not_found"
    assert failure(tmp_path) == "index_unreadable"
    (tmp_path / "text").write_text("a line of text that is longer than any header of ours is, by far\n")
    assert failure(tmp_path / "text") == "index_not_an_index"
    with pytest.raises(VectorIndexError) as caught:
        VectorIndex(3).save(tmp_path / "no folder" / "x.evi")
    assert caught.value.code == "index_write"


def bundle(path: Path, manifest: dict, card: bytes = b"card", **changes: object) -> Bundle:
    write_bundle(path, {**manifest, **changes}, {"MODEL_CARD.md": card, "weights.bin": b"1"})
    return Bundle.open(path)


def test_another_bundle_is_refused(saved, tmp_path, plain_manifest):
    maker = bundle(tmp_path / "a.edge", plain_manifest)
    index = VectorIndex(5, bundle=maker)
    index.update(KEYS, VECTORS)
    index.save(saved)
    assert len(VectorIndex.open(saved, bundle=maker)) == 4
    assert len(VectorIndex.open(saved)) == 4  # without a bundle there is nothing to compare
    recarded = bundle(tmp_path / "b.edge", plain_manifest, card=b"a better card")
    assert len(VectorIndex.open(saved, bundle=recarded)) == 4
    for changes in ({"name": "other"}, {"version": "1.2.4"}, {"pipeline": {"dimension": 5}}):
        other = bundle(tmp_path / "c.edge", plain_manifest, **changes)
        assert failure(saved, bundle=other) == "index_other_bundle"
    with pytest.raises(VectorIndexError, match="plain 1.2.3") as caught:
        VectorIndex.open(saved, bundle=other)
    assert "build the index again" in caught.value.hint
    VectorIndex(5).save(saved)
    assert failure(saved, bundle=maker) == "index_other_bundle"


WRITER = """
import sys, numpy as np
from edge_sdk.index import VectorIndex
index = VectorIndex(64)
print("ready", flush=True)
for turn in range(10_000):
    rows = 2000 + turn
    index.update([str(i) for i in range(rows)], np.full((rows, 64), 1 + turn, np.float32), [turn] * rows)
    index.save(sys.argv[1])
    print(turn, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
@pytest.mark.parametrize("delay", [0.0, 0.004, 0.011, 0.023])
def test_killed_while_saving(tmp_path, delay):
    """At any moment the file is whole: of the turn that was told last, or of the one after it."""
    path = tmp_path / "index.evi"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE, env=child_environment({}), text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        for line in child.stdout:
            if line == "2\n":
                break
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        told = [2, *map(int, child.stdout.read().split())][-1]
    index = VectorIndex.open(path)
    turn = len(index) - 2000
    assert turn in (told, told + 1)
    assert set(index.stamps().values()) == {turn}


def test_files_of_the_first_format_are_read_for_ever() -> None:
    """Written when the format was new, of the rows (1,0,0,0), (0,3,0,0) and (1,1,1,1)."""
    path = Path(__file__).parent / "data" / "indexes" / "index-v1.evi"
    with VectorIndex.open(path) as index:
        assert index.stamps() == {"east": 7, "north": 8, "größe": 9}
        found = index.search(np.array([1, 0, 0, 0], np.float32), 3)
    assert [match.key for match in found] == ["east", "größe", "north"]
    assert [match.score for match in found] == pytest.approx([1.0, 0.5, 0.0], abs=0.005)
