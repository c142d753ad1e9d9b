"""Posteriors of tags: shares of all paths by brute force, and the faces against each other."""

from __future__ import annotations

import importlib
import itertools

import numpy as np
import pytest
from faces import outcome
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import KernelError

reference = importlib.import_module("edge_sdk.kernels.reference.posteriors")


@st.composite
def problems(draw, max_tags=4, max_tokens=4, spreads=(0, 1, 8)):
    """(transitions, start, end, masks), emissions, tags."""
    n_tags, n_tokens = draw(st.integers(1, max_tags)), draw(st.integers(0, max_tokens))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from(spreads))
    never = draw(st.sampled_from([0.0, 0.1]))

    def scores(*shape):
        values = (generator.normal(size=shape) * spread).astype(np.float32)
        return np.where(generator.random(shape) < never, np.float32(-np.inf), values)

    share = draw(st.sampled_from([1.0, 0.7]))
    masks = [generator.random(shape) < share for shape in ((n_tags, n_tags), (n_tags,), (n_tags,))]
    masks = [None if draw(st.booleans()) else mask for mask in masks]
    tags = generator.integers(0, n_tags, n_tokens).astype(np.int32)
    return (scores(n_tags, n_tags), scores(n_tags), scores(n_tags), *masks), scores(n_tokens, n_tags), tags


def by_brute_force(model, emissions, tags):
    """The share of each tag in the summed weights of all allowed paths; None if there is no path."""
    transitions, start, end, allowed, allowed_start, allowed_end = model
    n_tokens, n_tags = emissions.shape
    paths, scores = [], []
    for path in itertools.product(range(n_tags), repeat=n_tokens):
        steps = list(itertools.pairwise(path))
        permitted = allowed is None or all(allowed[step] for step in steps)
        permitted &= allowed_start is None or bool(allowed_start[path[0]])
        permitted &= allowed_end is None or bool(allowed_end[path[-1]])
        if permitted:
            score = float(start[path[0]]) + sum(float(emissions[i, tag]) for i, tag in enumerate(path))
            paths.append(path)
            scores.append(score + sum(float(transitions[step]) for step in steps) + float(end[path[-1]]))
    if not scores or max(scores) == -np.inf:
        return None
    weights = np.exp(np.array(scores) - max(scores))
    hits = np.array(paths) == tags
    return (weights[:, None] * hits).sum(0) / weights.sum()


@given(problem=problems())
def test_equals_the_share_of_all_paths(face, problem):
    model, emissions, tags = problem
    result = outcome(face("posteriors").TagPosteriors(*model), emissions, tags)
    if len(tags) == 0:
        assert result.shape == (0,)
        return
    expected = by_brute_force(*problem)
    if expected is None:
        assert result[0] == "no_path"
        return
    assert result.dtype == np.float64
    assert np.allclose(result, expected, atol=1e-5)


@given(problem=problems(max_tags=40, max_tokens=12, spreads=(1, 20, 1000, 1e28)))
def test_faces_agree_also_where_scores_contradict_each_other(face, problem):
    """Scores that are far apart vanish from sums in float; the result must not."""
    model, emissions, tags = problem
    ours = outcome(face("posteriors").TagPosteriors(*model), emissions, tags)
    theirs = outcome(reference.TagPosteriors(*model), emissions, tags)
    if isinstance(theirs, tuple):
        assert ours == theirs
    else:
        assert np.allclose(ours, theirs, atol=1e-5)


def test_all_tags_of_a_token_sum_to_one(face):
    generator = np.random.default_rng(0)
    model = [generator.normal(size=shape).astype(np.float32) * 3 for shape in ((30, 30), (30,), (30,))]
    emissions = generator.normal(size=(7, 30)).astype(np.float32) * 5
    posteriors = face("posteriors").TagPosteriors(*model)
    total = sum(posteriors(emissions, np.full(7, tag, np.int32)) for tag in range(30))
    assert np.allclose(total, 1.0, atol=1e-4)


@pytest.mark.parametrize(
    ("emissions", "tags", "code"),
    [
        (np.zeros((2, 3), np.float64), np.zeros(2, np.int32), "bad_scores"),
        (np.zeros((2, 4), np.float32), np.zeros(2, np.int32), "bad_scores"),
        (np.full((2, 3), np.nan, np.float32), np.zeros(2, np.int32), "not_a_number"),
        (np.zeros((2, 3), np.float32), np.zeros(3, np.int32), "bad_tags"),
        (np.zeros((2, 3), np.float32), np.zeros(2, np.int64), "bad_tags"),
        (np.zeros((2, 3), np.float32), [0, 0], "bad_tags"),
        (np.zeros((2, 3), np.float32), np.array([0, 3], np.int32), "bad_tag"),
        (np.zeros((2, 3), np.float32), np.array([-1, 0], np.int32), "bad_tag"),
    ],
)
def test_errors_are_the_same_in_every_face(face, emissions, tags, code):
    zeros = np.zeros((3, 3), np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32)
    result = outcome(face("posteriors").TagPosteriors(*zeros), emissions, tags)
    assert result[0] == code
    assert result == outcome(reference.TagPosteriors(*zeros), emissions, tags)


def test_reads_views_that_are_not_contiguous(face):
    generator = np.random.default_rng(1)
    zeros = np.zeros((3, 3), np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32)
    emissions = generator.normal(size=(8, 3)).astype(np.float32)
    tags = np.array([0, 9, 1, 9, 2, 9, 0, 9], np.int32)
    posteriors = face("posteriors").TagPosteriors(*zeros)
    assert np.array_equal(posteriors(emissions[::2], tags[::2]), posteriors(emissions[::2].copy(), tags[::2].copy()))


def test_transitions_are_checked(face):
    with pytest.raises(KernelError, match="transitions"):
        face("posteriors").TagPosteriors(np.zeros((2, 3), np.float32), np.zeros(2, np.float32), np.zeros(2, np.float32))
