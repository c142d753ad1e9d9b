"""Retrieval metrics: against plain loops, and on files, folders and tar archives."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge_sdk
from edge_sdk import InputError
from edge_sdk.cli import main
from edge_sdk.evaluate import evaluate
from edge_sdk.evaluate.retriever import retrieval_metrics
from edge_sdk.tasks.retriever import Retriever
from tests.data.tiny_retriever import COLOURS, build

pytest.importorskip("onnx")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    return edge_sdk.load(build(tmp_path_factory.mktemp("evaluate") / "tiny-colours.edge"))


def by_loops(texts: np.ndarray, images: np.ndarray, labels: list[int]) -> dict[str, float]:
    """r@k and map as they are told in words."""
    found: dict[str, float] = {}
    for k in (1, 5, 10):
        answered = 0
        for c in range(len(texts)):
            ranking = sorted(range(len(images)), key=lambda i: -float(texts[c] @ images[i]))
            answered += any(labels[i] == c for i in ranking[:k])
        found[f"r@{k}"] = 100 * answered / len(texts)
        answered = 0
        for i in range(len(images)):
            ranking = sorted(range(len(texts)), key=lambda c: -float(texts[c] @ images[i]))
            answered += labels[i] in ranking[:k]
        found[f"image_r@{k}"] = 100 * answered / len(images)
    precisions = []
    for c in range(len(texts)):
        ranking = sorted(range(len(images)), key=lambda i: -float(texts[c] @ images[i]))
        hits, total = 0, 0.0
        for place, i in enumerate(ranking, 1):
            if labels[i] == c:
                hits += 1
                total += hits / place
        precisions.append(total / hits)
    return {**found, "map": 100 * sum(precisions) / len(precisions), "rows": len(images)}


@given(st.integers(1, 14), st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_metrics_are_those_of_plain_loops(classes: int, more: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = [*range(classes), *random.integers(0, classes, more).tolist()]
    texts, images = random.normal(size=(classes, 6)), random.normal(size=(len(labels), 6))
    found = retrieval_metrics(texts, images, np.array(labels))
    assert found == pytest.approx(by_loops(texts, images, labels))


def test_a_model_that_tells_nothing_apart_answers_nothing() -> None:
    same = np.ones((12, 1))
    found = retrieval_metrics(same, same, np.arange(12))
    assert found["r@1"] == found["r@10"] == found["image_r@10"] == 0


def write(folder: Path, rows: list[tuple[str, str, str]], header: str = "split\timage\tclass\tname") -> Path:
    """pairs.tsv with pictures, each of one colour: (split, file, name), where the file is named after its colour."""
    lines = [header]
    for split, file, name in rows:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (5, 5), COLOURS[path.stem.split("-")[0]]).save(path)
        lines.append(f"{split}\t{file}\t7\t{name}")
    folder.joinpath("pairs.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


ROWS = [
    ("train", "train/white.png", "blue"),
    ("val", "val/red-1.png", "red"), ("val", "val/red-2.png", "red"), ("val", "val/green.png", "green"),
    ("val", "val/cyan.png", "yellow"),  # called by a wrong name
]  # fmt: skip


def test_a_folder(retriever: Retriever, tmp_path: Path) -> None:
    """yellow (1, 1, -1) is as near to red as to green, and its own picture comes last."""
    folder = write(tmp_path, ROWS)
    found = evaluate(retriever, folder)
    assert found == evaluate(retriever, folder / "pairs.tsv")
    assert found["rows"] == 4 and found["r@1"] == pytest.approx(200 / 3) and found["r@5"] == 100
    assert found["image_r@1"] == 75 and found["map"] == pytest.approx(100 * (1 + 1 + 1 / 4) / 3)


def test_pictures_in_a_tar_file(retriever: Retriever, tmp_path: Path) -> None:
    folder = write(tmp_path, ROWS)
    expected = evaluate(retriever, folder)
    with tarfile.open(folder / "val.tar", "w") as archive:
        for _, file, _ in ROWS[1:]:
            archive.add(folder / file, file)
            (folder / file).unlink()
    assert evaluate(retriever, folder) == expected


@pytest.mark.parametrize("splits,rows", [
    (["val", "test", "train"], 1), (["train", "dev", "dev"], 2), (["other", "other", "more"], 2), (["", "", ""], 3),
])  # fmt: skip
def test_which_split_is_scored(retriever: Retriever, tmp_path: Path, splits: list[str], rows: int) -> None:
    files = [(split, f"{i}/red.png", "red") for i, split in enumerate(splits)]
    assert evaluate(retriever, write(tmp_path, files))["rows"] == rows


def test_a_name_is_a_text_whatever_it_looks_like(retriever: Retriever, tmp_path: Path) -> None:
    assert evaluate(retriever, write(tmp_path, [("val", "red.png", "red.png")]))["r@1"] == 100


def test_the_command(retriever: Retriever, tmp_path: Path, capsys) -> None:
    folder = write(tmp_path, ROWS)
    assert main(["eval", str(retriever.bundle.path), "--data", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"bundle", "task", "r@1", "r@5", "r@10", "image_r@1", "rows"} <= found.keys()


def test_wrong_data(retriever: Retriever, tmp_path: Path) -> None:
    def fails(code: str, words: str, path: Path) -> None:
        with pytest.raises(InputError, match=words) as caught:
            evaluate(retriever, path)
        assert caught.value.code == code

    folder = write(tmp_path, ROWS)
    (folder / "val/green.png").unlink()
    fails("data_invalid", "pairs.tsv:5: val/green.png is neither", folder)
    (folder / "val.tar").write_bytes(b"no archive")
    fails("data_unreadable", "val.tar", folder)
    (folder / "val/green.png").write_bytes(b"no picture")
    fails("image_unreadable", "green.png", folder)
    fails("data_invalid", "no rows", write(folder, []))
    fails("data_invalid", "no column name", write(folder, ROWS, "split\timage\tclass\ttext"))
    fails("data_unreadable", "missing", folder / "missing")
