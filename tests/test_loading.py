"""From a name to a task that answers: load, verify, zoo, self-test, threads."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import pytest

import edge_sdk
from edge_sdk import catalog
from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.errors import BundleError, EdgeError, InputError
from edge_sdk.selftest import Cosine, difference
from tests.data import tiny_tagger

TEXTS = [*tiny_tagger.EXAMPLES, "", "thanks dad", "alarm at noon and 9 am", "éa 日本 ring"]


def test_three_lines_of_python(tiny_path):
    tagger = edge_sdk.load(tiny_path)
    result = tagger("wake me up at 7 am")
    assert (result.intent, [(s.label, s.text) for s in result.slots]) == (
        "SET_ALARM",
        [("TIME", "7 am")],
    )


def test_by_name_and_by_path(tiny_path, monkeypatch):
    monkeypatch.setenv("EDGE_SDK_ZOO", str(tiny_path.parent))
    for bundle in ("tiny", tiny_path, str(tiny_path)):
        with edge_sdk.load(bundle) as task:
            assert task.bundle.path == tiny_path
    monkeypatch.chdir(tiny_path.parent)
    assert catalog.find("tiny.edge") == Path("tiny.edge")
    assert catalog.bundles() == [tiny_path]


@pytest.mark.parametrize("name", ["tinny", "nothing-like-it", "", "Tiny!"])
def test_unknown_names_list_the_zoo(tiny_path, monkeypatch, name):
    monkeypatch.setenv("EDGE_SDK_ZOO", str(tiny_path.parent))
    with pytest.raises(BundleError, match=f"no bundle named '{name}' .* which has tiny") as caught:
        edge_sdk.load(name)
    assert caught.value.code == "bundle_not_found"
    if name == "tinny":
        assert caught.value.hint == "did you mean tiny?"


def test_an_empty_zoo(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGE_SDK_ZOO", str(tmp_path / "none"))
    with pytest.raises(BundleError, match="which has none"):
        edge_sdk.load("tiny")


@pytest.mark.parametrize("bundle", [None, 3, b"tiny", ["tiny"]])
def test_a_bundle_of_another_type(bundle):
    with pytest.raises(InputError, match="argument bundle"):
        edge_sdk.load(bundle)


@pytest.mark.parametrize("threads", [0, -1, 1.0, "1", True, None, 100_000])
def test_threads_out_of_range(tiny_path, threads):
    with pytest.raises(InputError, match="argument threads"):
        edge_sdk.load(tiny_path, threads=threads)


def test_two_threads_answer_as_one(tiny_path):
    with edge_sdk.load(tiny_path) as one, edge_sdk.load(tiny_path, threads=2) as two:
        assert one.batch(TEXTS) == two.batch(TEXTS)


def test_unknown_task(tmp_path, plain_manifest):
    write_bundle(tmp_path / "a.edge", plain_manifest | {"task": "poet"}, {})
    with pytest.raises(BundleError, match="manifest.task is 'poet', this runtime knows"):
        edge_sdk.load(tmp_path / "a.edge")


def test_after_close(tiny_path):
    with edge_sdk.load(tiny_path) as task:
        task("hello")
    task.close()
    for call in (lambda: task("hello"), lambda: task.batch(["hello"])):
        with pytest.raises(EdgeError, match="task_closed"):
            call()


@pytest.mark.parametrize("texts", ["hello", b"hello", None, 3])
def test_a_batch_is_a_list(tiny_path, texts):
    with edge_sdk.load(tiny_path) as task, pytest.raises(InputError, match="argument texts"):
        task.batch(texts)


def test_many_threads_share_one_task(tiny_path):
    with edge_sdk.load(tiny_path) as task:
        expected = [task(text) for text in TEXTS]
        wrong: list[object] = []

        def work(offset: int) -> None:
            try:
                for k in range(100):
                    i = (offset + k) % len(TEXTS)
                    if task(TEXTS[i]) != expected[i]:
                        wrong.append(TEXTS[i])
                    if k % 10 == 0 and task.batch(TEXTS) != expected:
                        wrong.append("batch")
            except Exception as error:
                wrong.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong


def test_memory_does_not_grow_with_varying_lengths(run_python, tiny_path):
    """Resident memory after 1,600 calls of all lengths is that after the first 400."""
    code = """
import sys
import edge_sdk
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
words = ["wake", "me", "up", "call", "mom", "at", "7"]
task = edge_sdk.load(sys.argv[1])
sizes = []
for k in range(1600):
    task(" ".join(words[(k + i) % 7] for i in range(1 + k * 37 % 60)))
    if k % 40 == 0:
        task.batch([" ".join(words[: 1 + (k + i) % 7]) for i in range(1 + k % 40)])
    if k % 400 == 399:
        sizes.append(resident())
print(sizes[-1] - sizes[0])
"""
    found = run_python(code, tiny_path)
    assert int(found.stdout) < 2_000_000, found.stderr


# --- verify and the self-test


def rewritten(path: Path, tmp_path: Path, selftest: object) -> Path:
    """The tiny bundle with another self-test."""
    with Bundle.open(path) as bundle:
        manifest = {k: v for k, v in bundle.manifest.raw.items() if k != "files"}
        files = {file.name: bytes(bundle.read(file.name)) for file in bundle.manifest.files}
    files["selftest.json"] = json.dumps(selftest).encode()
    write_bundle(tmp_path / "other.edge", manifest, files)
    return tmp_path / "other.edge"


@pytest.fixture
def recorded(tiny_path):
    with Bundle.open(tiny_path) as bundle:
        return bundle.read_json("selftest.json")


def test_verify(tiny_path, recorded):
    found = edge_sdk.verify(tiny_path)
    assert found.bundle == "tiny" and found.files == 5
    assert found.selftests == {"onnx": len(recorded["inputs"])}


def change_score(outputs):
    outputs[0]["score"] += 0.01


def change_intent(outputs):
    outputs[1]["intent"] = "OTHER"


def change_slot(outputs):
    outputs[1]["slots"][0]["start"] += 1


def drop_slot(outputs):
    outputs[1]["slots"].pop()


def drop_key(outputs):
    del outputs[2]["slots"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (change_score, r"input 0: score is 0\.\d+, expected"),
        (change_intent, "input 1: intent is 'CALL', expected 'OTHER'"),
        (change_slot, r"input 1: slots\[0\].start is 5, expected 6"),
        (drop_slot, "input 1: slots has 2 items, expected 1"),
        (drop_key, "input 2: result has the keys"),
    ],
)
def test_verify_names_the_first_difference(tiny_path, tmp_path, recorded, change, where):
    change(recorded["outputs"])
    with pytest.raises(BundleError, match=where) as caught:
        edge_sdk.verify(rewritten(tiny_path, tmp_path, recorded))
    assert caught.value.code == "selftest_failed"


def test_scores_may_differ_by_the_tolerance(tiny_path, tmp_path, recorded):
    change_score(recorded["outputs"])
    recorded["tolerance"] = {"onnx": {"score": 0.02}}
    edge_sdk.verify(rewritten(tiny_path, tmp_path, recorded))


@pytest.mark.parametrize(
    "selftest",
    [
        [],
        {"inputs": [], "outputs": [], "tolerance": {}},
        {"inputs": ["a"], "outputs": [], "tolerance": {}},
        {"inputs": [1], "outputs": [1], "tolerance": {}},
        {"inputs": ["a"], "outputs": [1], "tolerance": {"onnx": {"score": "much"}}},
        {"inputs": ["a"], "outputs": [1]},
    ],
)
def test_a_selftest_that_is_none(tiny_path, tmp_path, selftest):
    with pytest.raises(BundleError, match="selftest.json"):
        edge_sdk.verify(rewritten(tiny_path, tmp_path, selftest))


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ({"a": 1.0}, {"a": 1.05}, False),
        ({"score": 1.0}, {"score": 1.05}, True),
        ({"score": 1.0}, {"score": 1.2}, False),
        ({"score": float("nan")}, {"score": 1.0}, False),
        ({"score": "1"}, {"score": 1.0}, False),
        ({"score": True}, {"score": 1.0}, True),  # equal in Python and in JSON's eyes
        ({"x": [{"score": 1.0}]}, {"x": [{"score": 1.05}]}, True),
        ({"score": [0.0, 1.0]}, {"score": [0.05, 1.05]}, True),
        ({"score": [0.0, 1.0]}, {"score": [0.05, 1.5]}, False),
        ({"score": {"a": 1.0}}, {"score": {"a": 1.05}}, False),
        ([1], {"a": 1}, False),
        (None, None, True),
    ],
)
def test_difference(found, expected, same):
    assert (difference(found, expected, {"score": 0.1}) is None) == same


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ([1.0, 0.0], [0.9, 0.1], True),
        ([1.0, 0.0], [0.9, 0.5], False),
        ([1.0, 0.0], [-1.0, 0.0], False),
        ([1e-200, 0.0], [1e200, 0.0], True),  # no square of them is a number
        ([0.0, 0.0], [0, 0], True),
        ([0.0, 0.0], [1.0, 0.0], False),
        ([float("nan"), 0.0], [1.0, 0.0], False),
        ([1.0, 0.0], [1.0], False),
        ([1.0, 0.0], ["1.0", 0.0], False),
        (0.99, 1.0, False),
    ],
)
def test_vectors_differ_by_their_cosine(found, expected, same):
    limits = {"vector": Cosine(0.98)}
    assert (difference({"vector": found}, {"vector": expected}, limits) is None) == same
    assert (difference([{"vector": found}], [{"vector": expected}], limits) is None) == same


def test_old_bundles_are_read_for_ever():
    """One file of each format that was ever released; none may be changed or removed."""
    paths = sorted((Path(__file__).parent / "data" / "bundles").glob("*.edge"))
    assert "format-1-tagger.edge" in [path.name for path in paths]
    for path in paths:
        assert edge_sdk.verify(path).selftests
    with edge_sdk.load(paths[0]) as task:
        assert task("call mom smith and dad").to_dict()["slots"] == [
            {"label": "NAME", "text": "mom smith", "start": 5, "end": 14,
             "score": pytest.approx(0.9995, abs=1e-4)},
            {"label": "NAME", "text": "dad", "start": 19, "end": 22,
             "score": pytest.approx(0.99933, abs=1e-4)},
        ]  # fmt: skip


def test_opening_writes_nothing(tiny_path, tmp_path):
    shutil.copy(tiny_path, tmp_path / "a.edge")
    before = (tmp_path / "a.edge").stat()
    edge_sdk.verify(tmp_path / "a.edge")
    after = (tmp_path / "a.edge").stat()
    assert (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
    assert os.listdir(tmp_path) == ["a.edge"]
