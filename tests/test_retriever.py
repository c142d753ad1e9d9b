"""The retriever through its public doors, on encoders whose vectors can be worked out by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge_sdk
from edge_sdk import BackendError, BundleError, EdgeError, InputError
from edge_sdk.cli import main
from edge_sdk.tasks.retriever import Retriever
from tests.conftest import child_environment
from tests.data.tiny_retriever import (
    COLOURS,
    EXAMPLES,
    GALLERY,
    SIZE,
    build,
    manifest,
    repack,
    vector,
)

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("retriever") / "tiny-colours.edge")


@pytest.fixture(scope="module")
def retriever(path: Path) -> Retriever:
    return edge_sdk.load(path)


def picture(*rgb: int) -> np.ndarray:
    return np.full((9, 7, 3), rgb, np.uint8)


def close(found: np.ndarray, expected: np.ndarray) -> bool:
    return bool(np.abs(found - expected).max() < 1e-5)


def test_texts(retriever: Retriever) -> None:
    found = retriever("Red")
    assert (found.input, found.kind, found.vector.dtype) == ("Red", "text", np.float32)
    assert close(found.vector, vector("red"))
    assert close(retriever("yellow  CYAN").vector, vector("yellow", "cyan"))


def test_pictures_in_every_form(retriever: Retriever, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image").fromarray(picture(*COLOURS["cyan"]))
    file = tmp_path / "a picture.PNG"
    image.save(file)
    for given_, shown in ((str(file), str(file)), (file, str(file)), (image, None), (np.asarray(image), None)):
        found = retriever(given_)
        assert (found.input, found.kind) == (shown, "image")
        assert close(found.vector, vector("cyan"))
    assert close(retriever("bundle:green").vector, vector("green"))


def test_texts_and_pictures_meet(retriever: Retriever) -> None:
    for name, rgb in COLOURS.items():
        assert retriever(name).vector @ retriever(picture(*rgb)).vector == pytest.approx(1, abs=1e-5)


def test_a_batch_is_its_single_calls(retriever: Retriever) -> None:
    words = ["red", "green blue", "yellow", "red red red", "a cyan"] * 5
    inputs = [value for word in words for value in (word, picture(*COLOURS[word.split()[-1]]))]
    single, batch = [retriever(value) for value in inputs], retriever.batch(inputs)
    assert [(b.input, b.kind) for b in batch] == [(s.input, s.kind) for s in single]
    assert all(close(b.vector, s.vector) for b, s in zip(batch, single, strict=True))
    assert close(retriever.vectors(inputs), np.stack([s.vector for s in single]))
    assert retriever.batch([]) == [] and retriever.vectors([]).shape == (0, 3)


@pytest.mark.parametrize("text,code", [
    ("", "input_empty"), (" \t\n", "input_empty"), ("red " * 5, "input_too_long"), ("bundle:purple", "gallery_name"),
    ("missing.jpg", "image_not_found"), ("MISSING.Jpeg", "image_not_found"), (Path("missing"), "image_not_found"),
    (None, "image_type"), (7, "image_type"), (b"red", "image_type"), (np.zeros((2, 2, 3)), "image_type"),
])  # fmt: skip
def test_wrong_inputs(retriever: Retriever, text: object, code: str) -> None:
    with pytest.raises(InputError) as single:
        retriever(text)
    with pytest.raises(InputError, match=r"texts\[1\]: ") as batch:
        retriever.batch(["red", text])
    assert single.value.code == batch.value.code == code and single.value.hint


def test_a_lone_text_is_no_batch(retriever: Retriever) -> None:
    with pytest.raises(InputError, match="texts"):
        retriever.batch("red")


def test_the_longest_text(retriever: Retriever) -> None:
    """Two of the six tokens are the marks."""
    assert close(retriever("red " * 4).vector, vector("red"))


@given(st.text(max_size=12))
def test_any_text_gives_a_vector_or_an_error(retriever: Retriever, text: str) -> None:
    try:
        found = retriever.text_vector(text)
    except InputError as error:
        assert error.code in ("input_empty", "input_too_long")
    else:
        assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def test_a_text_may_look_like_a_path_where_the_caller_says_so(retriever: Retriever) -> None:
    assert close(retriever.text_vector("red .png"), vector("red"))


def test_no_direction_is_an_error(retriever: Retriever) -> None:
    with pytest.raises(BackendError) as caught:
        retriever("white black")
    assert caught.value.code == "backend_nan"


def test_each_encoder_works_without_the_other(path: Path, tmp_path: Path) -> None:
    no_image = repack(path, tmp_path / "a.edge", {"image.onnx": b"not a graph"})
    no_text = repack(path, tmp_path / "b.edge", {"text.onnx": b"not a graph"})
    with edge_sdk.load(no_image) as task:
        assert close(task("blue").vector, vector("blue"))
        with pytest.raises(BackendError, match="image.onnx"):
            task("bundle:red")
    with edge_sdk.load(no_text) as task:
        assert close(task("bundle:red").vector, vector("red"))
        with pytest.raises(BackendError, match="text.onnx"):
            task("red")


def test_texts_and_the_bundles_pictures_need_no_pillow(path: Path, run_python) -> None:
    code = """
import sys
sys.modules["PIL"] = None
import edge_sdk
with edge_sdk.load(sys.argv[1]) as task:
    print(task("red").kind, task("bundle:red").kind, task.selftest())
    try:
        task("photo.jpg")
    except edge_sdk.EdgeError as error:
        print(error.code)
"""
    assert run_python(code, path).stdout == f"text image {len(EXAMPLES) + 2}\ndependency_missing\n"


def test_many_threads_on_a_fresh_task(path: Path) -> None:
    words = list(COLOURS) * 20
    with edge_sdk.load(path) as task, ThreadPoolExecutor(8) as pool:
        texts = pool.map(task, words)
        pictures = pool.map(task, [picture(*COLOURS[word]) for word in words])
        for word, text, image in zip(words, texts, pictures, strict=True):
            assert close(text.vector, vector(word)) and close(image.vector, vector(word))


def test_closed(path: Path) -> None:
    task = edge_sdk.load(path)
    task("red")
    task.close()
    for call in (lambda: task("red"), lambda: task.batch(["red"]), lambda: task.text_vector("red")):
        with pytest.raises(EdgeError) as caught:
            call()
        assert caught.value.code == "task_closed"
    unused = edge_sdk.load(path)
    unused.close()
    with pytest.raises(EdgeError, match="close"):
        unused("red")


TEXT, IMAGE = manifest()["pipeline"]["text"], manifest()["pipeline"]["image"]


@pytest.mark.parametrize("changes,where", [
    ({"dimension": 0}, "dimension"),
    ({"surprise": 1}, "surprise"),
    ({"text": {**TEXT, "max_tokens": 0}}, "max_tokens"),
    ({"text": {**TEXT, "start": [-1]}}, r"start\[0\]"),
    ({"text": {**TEXT, "end": ["x"]}}, r"end\[0\]"),
    ({"text": {**TEXT, "template": "a {}"}}, "template"),
    ({"image": {**IMAGE, "resize": "magic"}}, "resize"),
    ({"image": {**IMAGE, "crop": "top"}}, "crop"),
    ({"image": {**IMAGE, "height": 0}}, "height"),
    ({"gallery": {"file": "gallery.npy", "names": ["one"]}}, "gallery"),
    ({"gallery": {"file": "gallery.npy", "names": ["a", "a", "b"]}}, "gallery"),
])  # fmt: skip
def test_wrong_pipelines(path: Path, tmp_path: Path, changes: dict, where: str) -> None:
    with pytest.raises(BundleError, match=where) as caught:
        edge_sdk.load(repack(path, tmp_path / "wrong.edge", **changes))
    assert caught.value.code == "bundle_schema"


@pytest.mark.parametrize("changes,text", [
    ({"dimension": 4}, "red"), ({"image": {**IMAGE, "width": SIZE + 1}, "gallery": None}, picture(1, 2, 3)),
])  # fmt: skip
def test_graphs_that_do_not_fit_the_pipeline(path: Path, tmp_path: Path, changes: dict, text) -> None:
    """The graphs say 3 numbers and 4 x 4 pixels."""
    with edge_sdk.load(repack(path, tmp_path / "wrong.edge", **changes)) as task:
        with pytest.raises(BundleError) as caught:
            task(text)
    assert caught.value.code == "bundle_graph_mismatch"


# --- the command line


@pytest.fixture
def cli(path: Path, monkeypatch, capfd):
    monkeypatch.setenv("EDGE_SDK_ZOO", str(path.parent))

    def call(*argv: object) -> tuple[int, list[dict], str]:
        status = main([str(argument) for argument in argv])
        captured = capfd.readouterr()
        return status, [json.loads(line) for line in captured.out.splitlines()], captured.err

    return call


def test_run(cli) -> None:
    status, (text, image), err = cli("run", "tiny-colours", "red", "bundle:red", "--json")
    assert (status, err) == (0, "")
    assert list(text) == ["input", "kind", "vector"]
    assert (text["input"], text["kind"], image["kind"]) == ("red", "text", "image")
    assert np.dot(text["vector"], image["vector"]) == pytest.approx(1)


def test_run_names_the_picture_that_is_wrong(cli, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff")
    status, out, err = cli("run", "tiny-colours", broken, "--json")
    assert (status, out) == (2, []) and err.startswith("error[image_unreadable]: TEXT 1: ")


def test_demo_shows_what_a_text_finds(cli) -> None:
    status, results, _ = cli("demo", "--json")
    assert status == 0 and [result["input"] for result in results] == EXAMPLES
    for result, best in zip(results, GALLERY):
        assert {"bundle", "task", "input", "kind", "vector", "latency_ms"} <= result.keys()
        assert len(result["hits"]) == 3 and result["hits"][0]["path"] == f"bundle:{best}"
        assert result["hits"][0]["score"] == pytest.approx(1, abs=1e-5)


def test_a_task_without_an_index_says_so(tiny_path: Path, tmp_path: Path, capfd) -> None:
    assert main(["index", str(tmp_path), "--bundle", str(tiny_path), "--out", str(tmp_path / "i")]) == 2
    assert capfd.readouterr().err.startswith("error[task_no_index]: ")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux")
def test_a_program_for_texts_maps_no_decoder(path: Path) -> None:
    """What is not needed is not loaded: neither Pillow nor its libraries."""
    code = "import sys, edge_sdk; edge_sdk.load(sys.argv[1])('red'); print(open('/proc/self/maps').read())"
    done = subprocess.run(
        [sys.executable, "-c", code, os.fspath(path)],
        env=child_environment({}), capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert "onnxruntime" in done.stdout and "PIL" not in done.stdout
