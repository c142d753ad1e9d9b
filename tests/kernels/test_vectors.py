"""Nearest vectors: against sorting by Python's integers, and the faces bit for bit."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from faces import outcome
from hypothesis import given
from hypothesis import strategies as st

reference = importlib.import_module("edge_sdk.kernels.reference.vectors")


@st.composite
def problems(draw):
    """rows, scales, query, unit; small numbers so that many scores are equal, and the largest ones."""
    n, dimension = draw(st.integers(0, 40)), draw(st.integers(1, 70))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.sampled_from([1, 5, 127]))
    rows = generator.integers(-size - 1, size + 1, (n, dimension)).astype(np.int8)
    query = generator.integers(-16 * size, 16 * size + 1, dimension).astype(np.int16)
    scales = generator.choice(np.array([0, 0.1, 1], np.float32), n)
    return rows, scales, query, draw(st.sampled_from([1.0, 0.3, 0.0, -1.0]))


@given(problem=problems(), most=st.integers(0, 45))
def test_equals_sorting_all_scores(face, problem, most):
    rows, scales, query, unit = problem
    places, scores = face("vectors").nearest(rows, scales, query, unit, most)
    dots = [sum(int(a) * int(b) for a, b in zip(row, query)) for row in rows]
    exact = [np.float32(dot) * scale * np.float32(unit) for dot, scale in zip(dots, scales)]
    order = sorted(range(len(rows)), key=lambda row: (-exact[row], row))[:most]
    assert places.dtype == np.int32 and scores.dtype == np.float32
    assert places.tolist() == order
    assert scores.tolist() == [float(exact[row]) for row in order]


def test_the_largest_numbers_do_not_overflow(face):
    rows = np.full((2, reference.MAX_DIMENSION), -128, np.int8)
    query = np.full(reference.MAX_DIMENSION, reference.MAX_QUERY, np.int16)
    places, scores = face("vectors").nearest(rows, np.ones(2, np.float32), query, 1.0, 5)
    assert places.tolist() == [0, 1]
    assert scores.tolist() == [-128.0 * 2047 * 8192] * 2


def test_faces_agree_on_many_rows(face):
    """More rows than the reference widens at once, read through views that are not contiguous."""
    generator = np.random.default_rng(3)
    rows = generator.integers(-127, 128, (9000, 21)).astype(np.int8)[:, ::2]
    scales = generator.random(18000, np.float32)[::2]
    query = generator.integers(-2047, 2048, 22).astype(np.int16)[::2]
    ours = face("vectors").nearest(rows, scales, query, 0.01, 50)
    theirs = reference.nearest(rows, scales, query, 0.01, 50)
    assert np.array_equal(ours[0], theirs[0]) and np.array_equal(ours[1], theirs[1])


GOOD = {
    "rows": np.ones((3, 2), np.int8), "scales": np.ones(3, np.float32), "query": np.ones(2, np.int16),
    "unit": 1.0, "most": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("argument", "value", "code"),
    [
        ("rows", np.ones((3, 2), np.uint8), "bad_rows"),
        ("rows", np.ones(6, np.int8), "bad_rows"),
        ("rows", [[1, 1]], "bad_rows"),
        ("rows", np.ones((3, 0), np.int8), "bad_rows"),
        ("rows", np.ones((3, 8193), np.int8), "bad_rows"),
        ("scales", np.ones(2, np.float32), "bad_scales"),
        ("scales", np.ones(3), "bad_scales"),
        ("scales", np.array([1, np.nan, 1], np.float32), "not_a_number"),
        ("scales", np.array([1, 1, np.inf], np.float32), "not_a_number"),
        ("scales", np.array([3e38, 1, 1], np.float32), "not_a_number"),
        ("query", np.ones(3, np.int16), "bad_query"),
        ("query", np.ones(2, np.int8), "bad_query"),
        ("query", np.array([1, 2048], np.int16), "bad_query"),
        ("query", np.array([-2048, 1], np.int16), "bad_query"),
        ("unit", 1, "bad_unit"),
        ("unit", float("nan"), "bad_unit"),
        ("unit", 1e300, "bad_unit"),
        ("most", -1, "bad_most"),
        ("most", 1.5, "bad_most"),
    ],
)
def test_errors_are_the_same_in_every_face(face, argument, value, code):
    arguments = {**GOOD, argument: value}
    result = outcome(face("vectors").nearest, **arguments)
    assert result[0] == code
    assert result == outcome(reference.nearest, **arguments)
