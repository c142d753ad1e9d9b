"""The graph over an index: nearly what the exact search finds, with the same scores; refused when it does not fit."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from edge_sdk.errors import EdgeError, InputError, VectorIndexError
from edge_sdk.index import VectorIndex
from edge_sdk.index.graph import GraphIndex


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("usearch")
    folder = tmp_path_factory.mktemp("graph")
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(50, 32))
    rows = (centres[generator.integers(50, size=3000)] + generator.normal(size=(3000, 32))).astype(np.float32)
    index = VectorIndex(32)
    index.update([f"key {i}" for i in range(len(rows))], rows)
    index.save(folder / "index.evi")
    GraphIndex.build(VectorIndex.open(folder / "index.evi"), folder / "graph", threads=2)
    np.save(folder / "rows.npy", rows)
    return folder


@pytest.fixture
def index(folder):
    return VectorIndex.open(folder / "index.evi")


def test_finds_nearly_all_with_exact_scores(folder, index):
    graph = GraphIndex.open(index, folder / "graph")
    rows = np.load(folder / "rows.npy")
    queries = rows[::60] + np.random.default_rng(1).normal(size=(50, 32)).astype(np.float32)
    hits = 0
    for query in queries:
        exact, near = index.search(query, 10), graph.search(query, 10)
        assert len(near) == 10
        assert [m.score for m in near] == sorted((m.score for m in near), reverse=True)
        all_scores = dict(index.search(query, len(rows)))
        assert all(all_scores[match.key] == match.score for match in near)
        hits += len(set(exact) & set(near))
    assert hits >= 0.95 * 500
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(graph.search, queries))
    assert together == [graph.search(query) for query in queries]


def test_more_than_there_is(tmp_path):
    pytest.importorskip("usearch")
    for n in (0, 3):
        made = VectorIndex(4)
        made.update([str(i) for i in range(n)], np.eye(4, dtype=np.float32)[:n])
        made.save(tmp_path / "few.evi")
        index = VectorIndex.open(tmp_path / "few.evi")
        graph = GraphIndex.build(index, tmp_path / "graph")
        for found in (graph, GraphIndex.open(index, tmp_path / "graph")):
            assert found.search(np.array([0, 1, 0.5, 0], np.float32), 9) == index.search(np.array([0, 1, 0.5, 0]), 9)
            assert found.search(np.ones(4, np.float32), 0) == []
        for wrong in (np.ones(3), np.full(4, np.nan)):
            with pytest.raises(InputError):
                graph.search(wrong)
        with pytest.raises(InputError):
            graph.search(np.ones(4), -1)


def test_a_graph_belongs_to_one_state_of_the_index(folder, index, tmp_path):
    graph = GraphIndex.open(index, folder / "graph")
    before = graph.search(np.ones(32, np.float32))
    index.remove([before[0].key])
    assert graph.search(np.ones(32, np.float32)) == before  # it keeps the state that it was made of
    for call in (GraphIndex.open, GraphIndex.build):
        with pytest.raises(VectorIndexError) as caught:
            call(index, folder / "graph")
        assert caught.value.code == "index_not_saved"
    index.save(tmp_path / "changed.evi")
    with pytest.raises(VectorIndexError) as caught:
        GraphIndex.open(VectorIndex.open(tmp_path / "changed.evi"), folder / "graph")
    assert caught.value.code == "index_graph_stale"


def test_damage_is_found_before_usearch_sees_it(folder, index, tmp_path):
    data = (folder / "graph").read_bytes()
    path = tmp_path / "graph"

    def code(changed: bytes) -> str:
        path.write_bytes(changed)
        with pytest.raises(VectorIndexError) as caught:
            GraphIndex.open(index, path)
        assert caught.value.hint
        return caught.value.code

    assert code(b"") == code(data[:63]) == code(b"x" + data[1:]) == "index_not_an_index"
    assert code(data[:8] + b"\x02" + data[9:]) == "index_version"
    assert code(data[:-1]) == code(data + b"\0") == "index_damaged"
    for place in (64, 100, len(data) // 2, len(data) - 1):
        assert code(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]) == "index_damaged"
    with pytest.raises(VectorIndexError) as caught:
        GraphIndex.open(index, tmp_path / "nothing")
    assert caught.value.code == "index_unreadable"
    with pytest.raises(VectorIndexError) as caught:
        GraphIndex.build(index, tmp_path / "no folder" / "graph")
    assert caught.value.code == "index_write"


def test_without_usearch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    VectorIndex(3).save(tmp_path / "x.evi")
    with pytest.raises(EdgeError, match="usearch") as caught:
        GraphIndex.build(VectorIndex.open(tmp_path / "x.evi"), tmp_path / "graph")
    assert caught.value.code == "dependency_missing" and "edge-sdk[graph]" in caught.value.hint
