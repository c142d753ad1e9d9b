"""The index against a dictionary of vectors, in one thread and in several."""

from __future__ import annotations

import tempfile
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge_sdk.errors import EdgeError, InputError
from edge_sdk.index import VectorIndex
from edge_sdk.index.quantise import quantise_query, quantise_rows

DIMENSION = 8
KEYS = st.lists(st.sampled_from(["a", "b", "ü", "日本", "", "\udcff", "a b"]), max_size=5)


def vectors(n: int, seed: int, dimension: int = DIMENSION) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    left, right = left.astype(np.float64), right.astype(np.float64)
    return (left @ right.T) / np.linalg.norm(left, axis=1)[:, None] / np.linalg.norm(right, axis=1)


class IndexAsDictionary(RuleBasedStateMachine):
    """Whatever is done, an index is the dictionary of its keys, in the same order."""

    def __init__(self) -> None:
        super().__init__()
        self.index = VectorIndex(DIMENSION)
        self.model: dict[str, tuple[np.ndarray, int]] = {}
        self.folder = tempfile.TemporaryDirectory()

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(keys=KEYS, seed=st.integers(0, 2**32 - 1))
    def update(self, keys: list[str], seed: int) -> None:
        given_vectors = vectors(len(keys), seed)
        stamps = [seed * 7 + i for i in range(len(keys))]
        self.index.update(keys, given_vectors, stamps)
        for key, vector, stamp in zip(keys, given_vectors, stamps):
            self.model[key] = vector, stamp

    @rule(keys=KEYS)
    def remove(self, keys: list[str]) -> None:
        known = {key for key in keys if key in self.model}
        assert self.index.remove(keys) == len(known)
        for key in known:
            del self.model[key]

    @rule()
    def save_and_open(self) -> None:
        path = Path(self.folder.name) / "index.evi"
        self.index.save(path)
        self.index.close()
        self.index = VectorIndex.open(path)

    @rule(seed=st.integers(0, 2**32 - 1), top=st.integers(0, 9))
    def search(self, seed: int, top: int) -> None:
        query = vectors(1, seed)
        found = self.index.search(query[0], top)
        assert [match.score for match in found] == sorted((m.score for m in found), reverse=True)
        assert len(found) == min(top, len(self.model)) == len({match.key for match in found})
        if self.model:
            exact = cosines(query, np.stack([v for v, _ in self.model.values()]))[0]
            by_key = dict(zip(self.model, exact))
            for match in found:
                assert abs(match.score - by_key[match.key]) < 0.02  # few dimensions: coarse
            missed = [score for key, score in by_key.items() if key not in {m.key for m in found}]
            if missed and found:
                assert max(missed) < found[-1].score + 0.02

    @invariant()
    def same_keys_in_the_same_order(self) -> None:
        assert list(self.index) == list(self.model)
        assert len(self.index) == len(self.model)
        assert self.index.stamps() == {key: stamp for key, (_, stamp) in self.model.items()}
        for key, (vector, stamp) in self.model.items():
            assert key in self.index
            assert self.index.stamp(key) == stamp
            assert cosines(self.index.vector(key)[None], vector[None])[0, 0] > 0.999
        assert "missing" not in self.index


TestIndexAsDictionary = IndexAsDictionary.TestCase
TestIndexAsDictionary.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


@pytest.mark.parametrize("dimension", [50, 200, 768])
def test_scores_are_cosines(dimension):
    """The tolerance that the documentation states."""
    rows, queries = vectors(2000, 1, dimension), vectors(20, 2, dimension)
    queries[:10] = rows[:10] + 0.5 * queries[:10]  # near ones too
    index = VectorIndex(dimension)
    index.update([str(i) for i in range(len(rows))], rows)
    errors = []
    for query, exact in zip(queries, cosines(queries, rows)):
        found = index.search(query, len(rows))
        errors += [match.score - exact[int(match.key)] for match in found]
    assert np.abs(errors).max() < 0.01
    assert np.sqrt(np.square(errors).mean()) < 0.001


def test_ranking_is_that_of_float32_up_to_the_tolerance():
    """Of 10 nearest among 5,000, 9 and more are those of float32."""
    rows, queries = vectors(5000, 3, 128), vectors(50, 4, 128)
    index = VectorIndex(128)
    index.update([str(i) for i in range(len(rows))], rows)
    hits = 0
    for query, exact in zip(queries, cosines(queries, rows)):
        expected = set(np.argsort(-exact)[:10].tolist())
        hits += len(expected & {int(match.key) for match in index.search(query, 10)})
    assert hits >= 0.9 * 10 * len(queries)


@given(st.integers(-40, 37), st.integers(1, 300))
def test_length_does_not_matter(power, dimension):
    """Also for vectors whose squares float32 cannot hold."""
    vector = vectors(1, dimension, dimension)
    rows, scales = quantise_rows(vector)
    scaled, scaled_scales = quantise_rows(vector * np.float32(10.0**power))
    if power > -36:  # below, float32 itself has few digits
        assert np.abs(rows.astype(int) - scaled).max() <= 1
    assert np.abs(scaled).max() == 127
    assert np.linalg.norm(scaled * scaled_scales[:, None]) == pytest.approx(1, abs=1e-5)


def test_zeros_have_the_score_zero():
    index = VectorIndex(3)
    index.update(["nothing", "x", "-x"], np.array([[0, 0, 0], [1, 0, 0], [-1, 0, 0]], np.float32))
    assert index.search(np.array([2, 0, 0], np.float32)) == [("x", 1.0), ("nothing", 0.0), ("-x", -1.0)]
    assert index.search(np.zeros(3, np.float32)) == [("nothing", 0.0), ("x", 0.0), ("-x", 0.0)]
    assert quantise_query(np.zeros(3, np.float32))[1] == 0.0


def test_of_equal_keys_and_scores():
    index = VectorIndex(2)
    index.update(["b", "a", "b"], np.array([[1, 0], [1, 0], [0, 1]], np.float32))
    assert index.search(np.array([0, 1], np.float32), 1) == [("b", 1.0)]
    index.update(["c"], np.array([[0, 5]], np.float32))
    assert index.search(np.array([0, 1], np.float32), 2) == [("b", 1.0), ("c", 1.0)]  # the older one first


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda i: i.update("ab", np.zeros((2, 3), np.float32)), "input_keys"),
        (lambda i: i.update(["a", 1], np.zeros((2, 3), np.float32)), "input_keys"),
        (lambda i: i.update(["a"], np.zeros((2, 3), np.float32)), "input_vector"),
        (lambda i: i.update(["a"], np.zeros((1, 4), np.float32)), "input_vector"),
        (lambda i: i.update(["a"], [["x", "y", "z"]]), "input_vector"),
        (lambda i: i.update(["a"], np.array([[0, np.nan, 0]], np.float32)), "input_vector"),
        (lambda i: i.update(["a"], np.array([[0, 1e300, 0]])), "input_vector"),
        (lambda i: i.update(["a"], np.ones((1, 3)), [1, 2]), "input_stamps"),
        (lambda i: i.update(["a"], np.ones((1, 3)), [2**63]), "input_stamps"),
        (lambda i: i.update(["a"], np.ones((1, 3)), ["x"]), "input_stamps"),
        (lambda i: i.search(np.zeros(4, np.float32)), "input_vector"),
        (lambda i: i.search(np.array([0, np.inf, 0], np.float32)), "input_vector"),
        (lambda i: i.search(np.zeros(3, np.float32), -1), "input_top"),
        (lambda i: i.search(np.zeros(3, np.float32), "5"), "input_top"),
        (lambda i: i.vector("b"), "input_keys"),
        (lambda i: i.stamp("b"), "input_keys"),
        (lambda i: i.remove("known"), "input_keys"),
        (lambda i: VectorIndex(0), "input_dimension"),
        (lambda i: VectorIndex(8193), "input_dimension"),
        (lambda i: VectorIndex("3"), "input_dimension"),
    ],
)
def test_wrong_arguments_change_nothing(call, code):
    index = VectorIndex(3)
    index.update(["known"], np.ones((1, 3), np.float32), [5])
    with pytest.raises(InputError) as caught:
        call(index)
    assert caught.value.code == code and caught.value.hint
    assert index.stamps() == {"known": 5}
    assert index.search(np.ones(3, np.float32)) == [("known", pytest.approx(1.0))]


def test_after_close(tmp_path):
    index = VectorIndex(3)
    with index:
        pass
    index.close()
    for call in (lambda: index.search(np.zeros(3)), lambda: len(index), lambda: index.save(tmp_path / "x")):
        with pytest.raises(EdgeError) as caught:
            call()
        assert caught.value.code == "index_closed"
    assert list(tmp_path.iterdir()) == []


def test_searches_see_all_of_a_change_or_nothing():
    """One thread turns all rows around, again and again, adds and removes; others search meanwhile."""
    rows = vectors(500, 7, 16)
    keys = [str(i) for i in range(len(rows))]
    index = VectorIndex(16)
    index.update(keys, rows)
    expected = {sign: [m.score for m in index.search(sign * rows[0], 500)] for sign in (1, -1)}
    wrong: list[object] = []
    stop = False

    def search() -> None:
        while not stop:
            scores = [m.score for m in index.search(rows[0], 1000)]
            if scores not in expected.values() and len(scores) == 500:
                wrong.append(scores)
            if len(scores) not in (500, 600):
                wrong.append(len(scores))

    threads = [Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    more = [f"more {i}" for i in range(100)]
    for turn in range(60):
        index.update(keys, rows if turn % 2 else -rows)
        index.update(more, rows[:100])
        index.remove(more)
    stop = True
    for thread in threads:
        thread.join()
    assert wrong == []
