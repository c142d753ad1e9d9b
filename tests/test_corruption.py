"""Thousands of damaged bundles: each gives a BundleError, and nothing is ever written.

Most are opened from memory, since replacing a file takes far longer than refusing it.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.errors import BundleError

N_RANDOM = 3000


@pytest.fixture
def bundle_path(tmp_path, plain_manifest):
    generator = random.Random(1)
    path = tmp_path / "b.edge"
    files = {f"f{i}.bin": generator.randbytes(size) for i, size in enumerate((0, 1, 63, 64, 700))}
    write_bundle(path, plain_manifest, files)
    return path


def assert_refused(data: bytes, how: str) -> None:
    try:
        Bundle(Path("damaged.edge"), memoryview(data))
    except BundleError:
        return
    pytest.fail(f"opened although damaged: {how}")


def test_every_single_bit(bundle_path):
    """Headers, padding, directory, data: no bit of the file is without meaning."""
    data = bytearray(bundle_path.read_bytes())
    for i in range(len(data)):
        bit = 1 << (i * 5 % 8)
        data[i] ^= bit
        assert_refused(data, f"bit {bit} of byte {i}")
        data[i] ^= bit
    Bundle(bundle_path, memoryview(data)).close()  # the bits are back


def damaged(generator: random.Random, data: bytes) -> tuple[bytes, str]:
    """A copy of `data` with some random damage that does change it."""
    kind = generator.choice(["flip", "truncate", "splice", "overwrite", "remove", "swap"])
    out = bytearray(data)
    at = generator.randrange(len(data))
    length = generator.randint(1, 200)
    if kind == "flip":
        for _ in range(generator.randint(1, 8)):
            out[generator.randrange(len(out))] ^= 1 << generator.randrange(8)
    elif kind == "truncate":
        del out[at:]
    elif kind == "splice":
        out[at:at] = generator.randbytes(length)
    elif kind == "overwrite":
        out[at : at + length] = generator.choice([b"\0", b"\xff", b"PK"]) * length
    elif kind == "remove":
        del out[at : at + length]
    else:
        other = generator.randrange(len(data))
        a, b = out[at : at + length], out[other : other + length]
        out[at : at + length], out[other : other + length] = b, a
    if out == data:  # such as zeros written over zeros
        return damaged(generator, data)
    return bytes(out), f"{kind} at {at}"


def test_random_damage(bundle_path):
    data = bundle_path.read_bytes()
    generator = random.Random(20)
    for case in range(N_RANDOM):
        bad, how = damaged(generator, data)
        assert_refused(bad, f"{how}, case {case}")


def test_random_damage_to_files(bundle_path):
    data = bundle_path.read_bytes()
    generator = random.Random(22)
    for _ in range(100):
        bundle_path.write_bytes(damaged(generator, data)[0])
        with pytest.raises(BundleError):
            Bundle.open(bundle_path)
    assert os.listdir(bundle_path.parent) == [bundle_path.name]


def test_random_bytes_with_a_zip_s_ends(bundle_path):
    """Noise between a true start and a true end reaches the deeper checks."""
    data = bundle_path.read_bytes()
    generator = random.Random(21)
    for case in range(300):
        cut = generator.randrange(4, len(data) - 22)
        noise = generator.randbytes(len(data) - 22 - cut)
        assert_refused(data[:cut] + noise + data[-22:], f"case {case}")
