"""Phrases from files and indexes, and the commands that work on them."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

import edge_sdk
from edge_sdk.cli import main
from edge_sdk.errors import InputError, VectorIndexError
from edge_sdk.index import VectorIndex
from tests.data import tiny_embedder

LINES = "lithium ion battery\nneural network\n\nLithium-Ion Battery\r\nneural network\n  \nbattery cell"
PHRASES = ["lithium ion battery", "neural network", "Lithium-Ion Battery", "battery cell"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    found = tmp_path_factory.mktemp("embedder") / "tiny-ngrams.edge"
    tiny_embedder.build(found, "ngrams")
    return found


@pytest.fixture(scope="module")
def embedder(path):
    with edge_sdk.load(path) as task:
        yield task


@pytest.fixture
def terms(tmp_path):
    file = tmp_path / "terms.txt"
    file.write_bytes(LINES.encode())
    return file


def test_neighbours_of_a_file(embedder, terms):
    found = embedder.neighbours("lithium ion battery", terms, top=3)
    assert [n.text for n in found] == ["lithium ion battery", "Lithium-Ion Battery", "battery cell"]
    terms.write_bytes(gzip.compress(LINES.encode()))
    assert embedder.neighbours("lithium ion battery", str(terms), top=3) == found


def test_neighbours_of_a_saved_index(embedder, terms, tmp_path):
    report = embedder.build_index(terms, tmp_path / "terms.evi")
    assert report == {
        "index": str(tmp_path / "terms.evi"), "rows": 4, "added": 4, "updated": 0, "removed": 0, "skipped": 1,
    }  # fmt: skip
    expected = embedder.neighbours("ion battery", terms, top=4)
    assert embedder.neighbours("ion battery", tmp_path / "terms.evi", top=4) == expected


def test_bringing_an_index_up_to_date(embedder, terms, tmp_path, monkeypatch):
    """Only what is new is embedded."""
    out = tmp_path / "terms.evi"
    embedder.build_index(terms, out)
    terms.write_text("\n".join([*PHRASES[1:], "solar cell", "Zoë"]), encoding="utf-8")
    embedded: list[str] = []
    vectors = type(embedder).vectors
    monkeypatch.setattr(type(embedder), "vectors", lambda e, texts: embedded.extend(texts) or vectors(e, texts))
    report = embedder.build_index(terms, out)
    assert embedded == ["solar cell", "Zoë"]
    assert (report["added"], report["removed"], report["rows"]) == (2, 1, 5)
    assert list(VectorIndex.open(out)) == [*PHRASES[1:], "solar cell", "Zoë"]


def test_an_index_of_many_phrases_in_several_threads(embedder, tmp_path):
    phrases = [f"term {i} of {i * i}" for i in range(5000)]
    (tmp_path / "terms.txt").write_text("\n".join(phrases))
    seen: list[tuple[int, int]] = []
    report = embedder.build_index(
        tmp_path / "terms.txt", tmp_path / "terms.evi", threads=3, progress=lambda *at: seen.append(at)
    )
    assert report["rows"] == 5000
    assert seen[0] == (0, 5000) and seen[-1] == (5000, 5000) and seen == sorted(seen)
    index = VectorIndex.open(tmp_path / "terms.evi", embedder.bundle)
    assert list(index) == phrases
    rows = embedder.vectors(phrases)
    for i in (0, 1234, 4999):
        assert rows[i] @ index.vector(phrases[i]) > 0.999
        best = np.argsort(-(rows @ rows[i]))[:3]
        assert index.search(rows[i], 1)[0].key == phrases[best[0]] == phrases[i]


def test_a_build_that_is_interrupted_goes_on(embedder, tmp_path, monkeypatch):
    monkeypatch.setattr("edge_sdk.vocabulary.BLOCK", 10)
    phrases = [f"term {i}" for i in range(100)]
    (tmp_path / "terms.txt").write_text("\n".join(phrases))

    def interrupt(done: int, total: int) -> None:
        if done >= 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embedder.build_index(tmp_path / "terms.txt", tmp_path / "terms.evi", progress=interrupt)
    assert list(VectorIndex.open(tmp_path / "terms.evi")) == phrases[:30]
    report = embedder.build_index(tmp_path / "terms.txt", tmp_path / "terms.evi")
    assert (report["added"], report["rows"]) == (70, 100)


def test_an_index_of_another_bundle(embedder, terms, tmp_path):
    other = tmp_path / "other.edge"
    tiny_embedder.build(other, "characters")
    with edge_sdk.load(other) as task:
        task.build_index(terms, tmp_path / "terms.evi")
    before = (tmp_path / "terms.evi").read_bytes()
    for call in (
        lambda: embedder.neighbours("x", tmp_path / "terms.evi"),
        lambda: embedder.build_index(terms, tmp_path / "terms.evi"),
    ):
        with pytest.raises(VectorIndexError, match="tiny-characters 1.0.0") as caught:
            call()
        assert caught.value.code == "index_other_bundle"
    assert (tmp_path / "terms.evi").read_bytes() == before


def test_files_that_are_none(embedder, tmp_path):
    for call in (embedder.neighbours, lambda text, file: embedder.build_index(file, tmp_path / "x.evi")):
        with pytest.raises(InputError, match="nothing.txt") as caught:
            call("x", tmp_path / "nothing.txt")
        assert caught.value.code == "data_unreadable"
        (tmp_path / "latin.txt").write_bytes(b"one\ntwo caf\xe9\n")
        with pytest.raises(InputError, match="latin.txt:2") as caught:
            call("x", tmp_path / "latin.txt")
        assert caught.value.code == "data_invalid"
    assert not (tmp_path / "x.evi").exists()


# --- the command line


@pytest.fixture
def cli(path, monkeypatch, capfd):
    monkeypatch.setenv("EDGE_SDK_ZOO", str(path.parent))

    def call(*argv: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in argv])
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    return call


def test_run(cli, embedder):
    status, out, err = cli("run", "tiny-ngrams", "Lithium-ion", "", "--json")
    first, second = map(json.loads, out.splitlines())
    assert (status, err) == (0, "")
    assert list(first) == ["text", "vector"] and first["text"] == "Lithium-ion"
    assert np.array_equal(np.array(first["vector"], np.float32), embedder("lithium ion").vector)
    assert second == {"text": "", "vector": [0.0] * 64}


def test_run_with_neighbours(cli, terms):
    status, out, err = cli(
        "run", "tiny-ngrams", "Lithium-ion battery", "--neighbours", terms, "--top", 2, "--json"
    )
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert list(found) == ["text", "vector", "neighbours"]
    assert [n["text"] for n in found["neighbours"]] == PHRASES[::2][:2]
    assert found["neighbours"][0]["score"] == pytest.approx(1, abs=1e-4)
    status, out, _ = cli("run", "tiny-ngrams", "Lithium-ion battery", "--neighbours", terms, "--top", 2)
    lines = out.splitlines()
    assert "neighbours" in lines and lines[-2].split()[-1] == "1"


def test_wrong_options(cli, terms, tmp_path):
    status, out, err = cli("run", "tiny-ngrams", "x", "--neighbours", terms, "--top", 0)
    assert (status, out) == (2, "") and err.startswith("error[input_top]: --top is 0")
    status, out, err = cli("run", "tiny-ngrams", "x", "--neighbours", tmp_path / "none.txt")
    assert (status, out) == (2, "") and err.startswith("error[data_unreadable]: ")


def test_index_and_search(cli, terms, tmp_path):
    status, out, err = cli("index", terms, "--bundle", "tiny-ngrams", "--out", tmp_path / "t.evi", "--json")
    assert (status, err) == (0, "") and json.loads(out)["rows"] == 4
    status, out, err = cli(
        "search", tmp_path / "t.evi", "--bundle", "tiny-ngrams", "neural networks", "--top", 1, "--json"
    )
    assert (status, err) == (0, "")
    (hit,) = json.loads(out)["hits"]
    assert hit["text"] == "neural network" and 0.5 < hit["score"] < 1


def test_demo(cli):
    status, out, _ = cli("demo", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [row["text"] for row in rows] == tiny_embedder.EXAMPLES
    assert all(row["task"] == "embedder" and len(row["vector"]) == 64 for row in rows)
    nearest = [[neighbour["text"] for neighbour in row["neighbours"]] for row in rows]
    first, second, third = tiny_embedder.EXAMPLES
    assert nearest == [[second, third], [first, third], nearest[2]] and set(nearest[2]) == {first, second}
