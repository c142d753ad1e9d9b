"""Correlations: golden values of scipy, its functions where it is installed, and files with faults."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge_sdk
from edge_sdk.errors import InputError
from edge_sdk.evaluate import evaluate
from edge_sdk.evaluate.embedder import correlations
from tests.data import tiny_embedder

VALUES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, -1.0, 1e-6])


def test_values_of_scipy():
    """scipy 1.17.1: pearsonr and spearmanr, times 100; both sides have ties."""
    found = correlations(
        np.array([0.9, 0.1, 0.35, 0.35, -0.2, 0.8, 0.35, 0.0]),
        np.array([1.0, 0.0, 0.5, 0.25, 0.25, 0.75, 0.5, 0.25]),
    )
    assert found == {
        "pearson": pytest.approx(86.33123850531982),
        "spearman": pytest.approx(83.02050989539357),
        "rows": 8,
    }


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=30))
def test_as_scipy(pairs):
    stats = pytest.importorskip("scipy.stats")
    left, right = np.array(pairs).T
    found = correlations(left, right)
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        assert (found["pearson"], found["spearman"]) == (0.0, 0.0)
    else:
        assert found["pearson"] == pytest.approx(100 * stats.pearsonr(left, right)[0], abs=1e-6)
        assert found["spearman"] == pytest.approx(100 * stats.spearmanr(left, right)[0], abs=1e-6)


ROWS = [
    ("lithium ion battery", "Lithium-Ion Battery", 1.0),
    ("lithium ion battery", "lithium battery", 0.75),
    ("lithium ion battery", "battery", 0.5),
    ("lithium ion battery", "neural network", 0.0),
]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    path = tmp_path_factory.mktemp("embedder") / "tiny.edge"
    tiny_embedder.build(path, "ngrams")
    with edge_sdk.load(path) as task:
        yield task


@pytest.mark.parametrize("zipped", [False, True])
def test_a_file(embedder, tmp_path, zipped):
    """Columns in any order, others between them."""
    lines = ["id\tscore\tcontext\ttarget\tanchor"]
    lines += [f"{i}\t{score}\tH01\t{target}\t{anchor}" for i, (anchor, target, score) in enumerate(ROWS)]
    data = "\n".join(lines).encode()
    (tmp_path / "pairs.tsv").write_bytes(gzip.compress(data) if zipped else data)
    found = evaluate(embedder, tmp_path / "pairs.tsv")
    cosines = [embedder.similarity(anchor, target) for anchor, target, _ in ROWS]
    wanted = np.corrcoef(cosines, [score for _, _, score in ROWS])[0, 1]
    assert found == {"pearson": pytest.approx(100 * wanted, abs=1e-4), "spearman": 100.0, "rows": 4}


@pytest.mark.parametrize(
    ("lines", "where", "problem"),
    [
        (["anchor\ttarget\tscore"], "pairs.tsv", "0 rows"),
        (["anchor\ttarget\tscore", "a\tb\t1"], "pairs.tsv", "1 rows"),
        (["anchor\tscore", "a\t1"], "pairs.tsv:2", "no column target"),
        (["anchor\ttarget\tscore", "a\tb\t1", "a\tb\tmuch"], "pairs.tsv:3", "'much'"),
        (["anchor\ttarget\tscore", "a\tb\tnan"], "pairs.tsv:2", "'nan'"),
        (["anchor\ttarget\tscore", "a\tb"], "pairs.tsv:2", "2 fields"),
    ],
)
def test_malformed(embedder, tmp_path, lines, where, problem):
    (tmp_path / "pairs.tsv").write_text("\n".join(lines))
    with pytest.raises(InputError, match=problem) as caught:
        evaluate(embedder, tmp_path / "pairs.tsv")
    assert caught.value.code == "data_invalid" and where + ":" in caught.value.message
