"""The bundle format: what is written is read, and every fault has its own error."""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_sdk import container
from edge_sdk.bundle import MANIFEST, Bundle, write_bundle
from edge_sdk.errors import BundleError
from tests.conftest import ROOT, child_environment

FILES = {"labels.json": b'["a"]', "empty.txt": b"", "weights.bin": bytes(range(256)) * 3}


@pytest.fixture
def plain(tmp_path, plain_manifest):
    """A bundle that holds FILES."""
    path = tmp_path / "plain.edge"
    write_bundle(path, plain_manifest, FILES)
    return path


def code_of(path: Path) -> str:
    """The code of the error that opening `path` raises; its message and hint are one line each."""
    with pytest.raises(BundleError) as caught:
        Bundle.open(path)
    error = caught.value
    assert error.message and error.hint
    assert "\n" not in error.message + error.hint
    return error.code


def repacked(path: Path, members: dict[str, bytes], manifest: dict | None = None) -> Path:
    """The bundle at `path` written again with other members, in a layout that is right."""
    if manifest is not None:
        members = {MANIFEST: json.dumps(manifest).encode(), **members}
    path.write_bytes(b"".join(container.pack(members)))
    return path


def manifest_of(path: Path) -> dict:
    with Bundle.open(path) as bundle:
        return dict(bundle.manifest.raw)


def test_what_is_written_is_read(plain, plain_manifest):
    with Bundle.open(plain) as bundle:
        assert {name: bytes(bundle.read(name)) for name in FILES} == FILES
        assert bundle.manifest.name == "plain"
        assert [file.name for file in bundle.manifest.files] == list(FILES)
        assert bundle.size == plain.stat().st_size
        assert "labels.json" in bundle and "other" not in bundle
        assert {k: bundle.manifest.raw[k] for k in plain_manifest} == plain_manifest


def test_other_programs_can_read_the_zip(plain):
    with zipfile.ZipFile(plain) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in FILES} == FILES
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())


def test_every_member_is_aligned(plain):
    data = plain.read_bytes()
    with zipfile.ZipFile(plain) as archive:
        for info in archive.infolist():
            name, extra = struct.unpack_from("<2H", data, info.header_offset + 26)
            assert (info.header_offset + 30 + name + extra) % 64 == 0


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_.-]{0,40}", fullmatch=True).filter(lambda n: n != MANIFEST),
        st.binary(max_size=300),
        max_size=6,
    )
)
def test_any_files_come_back(tmp_path_factory, files):
    path = tmp_path_factory.mktemp("any") / "any.edge"
    manifest = {
        "min_runtime": "0.1.0", "name": "any", "version": "1.0.0", "task": "tagger",
        "language": "", "licence": "", "training_data": "ä", "pipeline": {}, "graphs": {},
        "metrics": {},
    }  # fmt: skip
    write_bundle(path, manifest, files)
    with Bundle.open(path) as bundle:
        assert {file.name: bytes(bundle.read(file.name)) for file in bundle.manifest.files} == files


def test_equal_arguments_give_equal_bytes(plain, tmp_path, plain_manifest):
    write_bundle(tmp_path / "again.edge", plain_manifest, FILES)
    assert (tmp_path / "again.edge").read_bytes() == plain.read_bytes()


def test_views_are_read_only_and_outlive_the_bundle(plain):
    bundle = Bundle.open(plain)
    view = bundle.read("weights.bin")
    bundle.close()
    bundle.close()
    assert bytes(view) == FILES["weights.bin"]
    with pytest.raises(TypeError):
        view[0] = 1
    with pytest.raises(BundleError, match="bundle_closed"):
        bundle.read("weights.bin")


def test_an_unknown_member_is_named(plain):
    with Bundle.open(plain) as bundle, pytest.raises(BundleError, match="no member 'other'"):
        bundle.read("other")


# --- faults of the file


def test_not_a_file(tmp_path):
    assert code_of(tmp_path / "none.edge") == "bundle_not_found"
    assert code_of(tmp_path) == "bundle_unreadable"
    assert code_of(Path("nul\0.edge")) == "bundle_unreadable"


@pytest.mark.parametrize("content", [b"", b"x", b"hello\n" * 100, b"\x80\x04N."])
def test_not_a_zip(tmp_path, content):
    path = tmp_path / "a.edge"
    path.write_bytes(content)
    assert code_of(path) == "bundle_not_a_zip"


def test_truncated_at_every_length(plain):
    data = plain.read_bytes()
    for size in range(len(data)):
        with pytest.raises(BundleError) as caught:
            Bundle(plain, memoryview(data)[:size])
        assert caught.value.code == ("bundle_truncated" if size >= 4 else "bundle_not_a_zip")


def test_bytes_after_the_end(plain):
    plain.write_bytes(plain.read_bytes() + b"\0")
    assert code_of(plain) == "bundle_truncated"


def test_bytes_before_the_start(plain):
    plain.write_bytes(b"\0" * 64 + plain.read_bytes())
    assert code_of(plain) == "bundle_truncated"


# --- faults of the zip


def central(data: bytes, name: bytes) -> int:
    """Offset of the central directory's entry of `name`."""
    return data.rindex(name) - 46


def patched(path: Path, offset: int, value: bytes) -> Path:
    data = bytearray(path.read_bytes())
    data[offset : offset + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        (8, struct.pack("<H", 1), "bundle_member_encrypted"),
        (10, struct.pack("<H", 8), "bundle_member_compressed"),
        (20, struct.pack("<I", 1), "bundle_member_compressed"),
        (24, struct.pack("<I", 0xFFFFFFFF), "bundle_zip64"),
        (40, struct.pack("<H", 0o120777), "bundle_member_link"),
        (42, struct.pack("<I", 0), "bundle_member_overlap"),
        (16, b"\1\2\3\4", "bundle_layout"),  # its CRC-32 is not that of the local header
        (12, b"\1", "bundle_layout"),  # a time that is never written
        (46, b"x", "bundle_layout"),  # its name is not that of the local header
        (46, b"/", "bundle_member_path"),
        (46, b"\\", "bundle_member_path"),
        (46, b"C:", "bundle_member_path"),
        (46, b"..", "bundle_member_path"),
        (46, b"\xc3\xa4", "bundle_member_path"),
        (0, b"xx", "bundle_directory"),
        (28, struct.pack("<H", 60000), "bundle_directory"),
    ],
)
def test_central_directory(plain, field, value, code):
    entry = central(plain.read_bytes(), b"weights.bin")
    assert code_of(patched(plain, entry + field, value)) == code


@pytest.mark.parametrize("name", ["/etc/passwd", "../up.txt", "a/b", "a\\b", ".hidden", ""])
def test_paths_are_refused(plain, name):
    assert code_of(repacked(plain, {MANIFEST: b"{}", name: b"x"})) == "bundle_member_path"


def test_duplicates_are_refused_whatever_their_case(plain):
    twins = {MANIFEST: b"{}", "a.bin": b"x", "A.bin": b"y"}
    assert code_of(repacked(plain, twins)) == "bundle_member_duplicate"
    data = plain.read_bytes().replace(b"A.bin", b"a.bin")
    plain.write_bytes(data)
    assert code_of(plain) == "bundle_member_duplicate"


def test_zips_of_other_programs_are_refused(plain, tmp_path):
    members = {MANIFEST: b"{}", "a.txt": b"x" * 1000}
    for compression, code in (
        (zipfile.ZIP_STORED, "bundle_layout"),
        (zipfile.ZIP_DEFLATED, "bundle_member_compressed"),
    ):
        with zipfile.ZipFile(plain, "w", compression) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        assert code_of(plain) == code


def test_zip64_end_record_is_refused(plain):
    size = plain.stat().st_size
    assert code_of(patched(plain, size - 12, b"\xff" * 2)) == "bundle_zip64"


# --- faults of the manifest


def test_no_manifest(plain):
    assert code_of(repacked(plain, {"a.txt": b"x"})) == "bundle_no_manifest"
    assert code_of(repacked(plain, {"a.txt": b"x", MANIFEST: b"{}"})) == "bundle_no_manifest"
    assert code_of(repacked(plain, {})) == "bundle_no_manifest"


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff{}", b'{"format_version": 1, "format_version": 1}', b'{"a": NaN}',
     b"[" * 100_000, b'{"a": ' + b"1" * 5000 + b"}"],
)  # fmt: skip
def test_manifest_is_not_json(plain, text):
    assert code_of(repacked(plain, {MANIFEST: text})) == "bundle_manifest_json"


def test_manifest_is_too_long(plain):
    assert code_of(repacked(plain, {MANIFEST: b" " * (1 << 20) + b"{}"})) == "bundle_size"


def test_newer_format_is_called_newer(plain):
    """Even where the rest of the manifest is not as this runtime knows it."""
    path = repacked(plain, {}, {"format_version": 2, "unknown": 1})
    with pytest.raises(BundleError, match="is 2, this runtime reads up to 1") as caught:
        Bundle.open(path)
    assert caught.value.code == "bundle_format_version"
    assert "update" in caught.value.hint


def test_newer_runtime_needed(plain):
    manifest = manifest_of(plain) | {"min_runtime": "99.0.0", "unknown": 1}
    assert code_of(repacked(plain, FILES, manifest)) == "bundle_min_runtime"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"format_version": "1"}, "manifest.format_version"),
        ({"format_version": True}, "manifest.format_version"),
        ({"format_version": 0}, "manifest.format_version"),
        ({"min_runtime": "1"}, "manifest.min_runtime"),
        ({"name": "Has Spaces"}, "manifest.name"),
        ({"name": "../x"}, "manifest.name"),
        ({"version": "1.0"}, "manifest.version"),
        ({"task": 3}, "manifest.task"),
        ({"pipeline": []}, "manifest.pipeline"),
        ({"metrics": None}, "manifest.metrics"),
        ({"examples": [1]}, r"manifest.examples\[0\]"),
        ({"surprise": 1}, "'surprise'"),
        ({"files": [{"name": "a"}]}, r"manifest.files\[0\].size"),
        ({"files": [{"name": "../a", "size": 1, "sha256": "0" * 64}]}, r"manifest.files\[0\].name"),
        ({"files": [{"name": "a", "size": -1, "sha256": "0" * 64}]}, r"manifest.files\[0\].size"),
        ({"files": [{"name": "a", "size": 1, "sha256": "0"}]}, r"manifest.files\[0\].sha256"),
        ({"graphs": {"onnx": {"model": {"file": "x"}}}}, "manifest.graphs.onnx.model.precision"),
        (
            {"graphs": {"onnx": {"model": {
                "file": "no.onnx", "precision": "int8", "inputs": [], "outputs": []}}}},
            "not among manifest.files",
        ),
        (
            {"graphs": {"onnx": {"model": {
                "file": "weights.bin", "precision": "int8", "outputs": [],
                "inputs": [{"name": "x", "dtype": "uint8", "shape": [-1]}]}}}},
            r"manifest.graphs.onnx.model.inputs\[0\].shape",
        ),
    ],
)  # fmt: skip
def test_schema_errors_name_the_place(plain, change, where):
    manifest = manifest_of(plain) | change
    with pytest.raises(BundleError, match=where) as caught:
        Bundle.open(repacked(plain, FILES, manifest))
    assert caught.value.code == "bundle_schema"


@pytest.mark.parametrize("key", ["format_version", "min_runtime", "name", "pipeline", "files"])
def test_a_missing_key_is_named(plain, key):
    manifest = manifest_of(plain)
    del manifest[key]
    with pytest.raises(BundleError, match=f"manifest.{key} is missing"):
        Bundle.open(repacked(plain, FILES, manifest))


# --- faults of the members


def test_missing_member(plain):
    manifest = manifest_of(plain)
    members = {name: data for name, data in FILES.items() if name != "labels.json"}
    assert code_of(repacked(plain, members, manifest)) == "bundle_member_missing"


def test_member_listed_twice(plain):
    manifest = manifest_of(plain)
    manifest["files"] = [*manifest["files"], manifest["files"][0]]
    assert code_of(repacked(plain, FILES, manifest)) == "bundle_member_missing"


def test_extra_member(plain):
    manifest = manifest_of(plain)
    assert code_of(repacked(plain, FILES | {"extra.bin": b"x"}, manifest)) == "bundle_member_extra"


def test_wrong_size(plain):
    manifest = manifest_of(plain)
    assert code_of(repacked(plain, FILES | {"empty.txt": b"x"}, manifest)) == "bundle_size"


def test_wrong_hash(plain):
    manifest = manifest_of(plain)
    assert code_of(repacked(plain, FILES | {"labels.json": b'["b"]'}, manifest)) == "bundle_hash"


# --- parsing members


def npy(array: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.zeros((0, 4), np.uint8),
        np.array(3.5),
    ],
)
def test_arrays_are_read_in_place(tmp_path, plain_manifest, array):
    write_bundle(tmp_path / "a.edge", plain_manifest, {"a.npy": npy(array)})
    with Bundle.open(tmp_path / "a.edge") as bundle:
        found = bundle.read_array("a.npy")
    assert found.dtype == array.dtype and not found.flags.owndata and not found.flags.writeable
    np.testing.assert_array_equal(found, array)


class Trap:
    """Unpickling this ends the process."""

    def __reduce__(self):
        return os._exit, (99,)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY\x01\x00",
        npy(np.array([Trap()], dtype=object)),
        npy(np.zeros(4))[:-1],
        npy(np.zeros(4)) + b"\0",
        npy(np.zeros(2, dtype=[("a", "i4")])),
        npy(np.zeros(4)).replace(b"(4,)", b"(-4)"),
        npy(np.zeros(4)).replace(b"(4,)", b"(9,)"),
        npy(np.zeros(4)).replace(b"'shape'", b"'shap3'"),
    ],
)
def test_what_is_no_plain_array_is_refused(tmp_path, plain_manifest, content):
    write_bundle(tmp_path / "a.edge", plain_manifest, {"a.npy": content})
    with Bundle.open(tmp_path / "a.edge") as bundle:
        with pytest.raises(BundleError, match="bundle_member_npy"):
            bundle.read_array("a.npy")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path, plain_manifest, content):
    write_bundle(tmp_path / "a.edge", plain_manifest, {"a.json": content})
    with Bundle.open(tmp_path / "a.edge") as bundle:
        with pytest.raises(BundleError, match="bundle_member_json"):
            bundle.read_json("a.json")


# --- writing


@pytest.mark.parametrize(
    ("change", "files", "code"),
    [
        ({"name": "Not A Name"}, FILES, "bundle_schema"),
        ({}, {"../up": b""}, "bundle_member_path"),
        ({}, {MANIFEST: b"{}"}, "bundle_member_duplicate"),
        ({"min_runtime": "99.0.0"}, FILES, "bundle_min_runtime"),
    ],
)
def test_a_bundle_that_could_not_be_opened_is_never_written(
    plain, plain_manifest, change, files, code
):
    before = plain.read_bytes()
    with pytest.raises(BundleError) as caught:
        write_bundle(plain, plain_manifest | change, files)
    assert caught.value.code == code
    assert plain.read_bytes() == before
    assert os.listdir(plain.parent) == [plain.name]


def test_no_folder_to_write_to(tmp_path, plain_manifest):
    with pytest.raises(BundleError, match="bundle_write"):
        write_bundle(tmp_path / "none" / "a.edge", plain_manifest, {})


def test_a_written_file_has_the_modes_of_the_umask(tmp_path, plain_manifest):
    before = os.umask(0o027)
    try:
        write_bundle(tmp_path / "a.edge", plain_manifest, FILES)
    finally:
        os.umask(before)
    assert (tmp_path / "a.edge").stat().st_mode & 0o777 == 0o640


WRITE = """
import json, resource, sys
from edge_sdk import container
from edge_sdk.bundle import write_bundle
from edge_sdk.errors import BundleError
path, manifest, limit = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
pack = container.pack
def slow_pack(files):
    for piece in pack(files):
        yield piece
        if not limit:
            print("writing", flush=True)
            sys.stdin.readline()  # until the parent interrupts
container.pack = slow_pack
try:
    write_bundle(path, manifest, {f"f{i}": bytes(50_000) for i in range(4)})
except BundleError as error:
    print(error)
    sys.exit(2)
"""


def test_full_disk_leaves_the_old_file(plain, plain_manifest, run_python):
    before = plain.read_bytes()
    found = run_python(WRITE, plain, json.dumps(plain_manifest), 100_000)
    assert found.returncode == 2, found.stderr
    assert "error[bundle_write]" in found.stdout
    assert plain.read_bytes() == before
    assert os.listdir(plain.parent) == [plain.name]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to a child needs POSIX")
def test_interrupt_leaves_the_old_file(plain, plain_manifest):
    """Ctrl-C while the temporary file is half written."""
    before = plain.read_bytes()
    with subprocess.Popen(
        [sys.executable, "-c", WRITE, plain, json.dumps(plain_manifest), "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=child_environment({}), cwd=ROOT,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == b"writing\n"
        assert len(os.listdir(plain.parent)) == 2, "no temporary file beside the old one"
        child.send_signal(signal.SIGINT)
        child.communicate()
    assert child.returncode != 0
    assert plain.read_bytes() == before
    assert os.listdir(plain.parent) == [plain.name]


def test_views_stay_valid_after_release(tiny_path: Path) -> None:
    with Bundle.open(tiny_path) as bundle:
        view = bundle.read("model.onnx")
        before = bytes(view)
        bundle.release()
        assert bytes(view) == before == bytes(bundle.read("model.onnx"))
    bundle.release()
    assert bytes(view) == before
