"""Spans from tags, their repair and their scores, in every face."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from faces import outcome
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import KernelError
from edge_sdk.kernels import TagLabels

reference = importlib.import_module("edge_sdk.kernels.reference.spans")

NAMES = ["O", *(f"{kind}-{type_}" for kind in "BIES" for type_ in "xy")]
LABELS = TagLabels(NAMES)


def tags_of(names):
    return np.array([NAMES.index(name) for name in names.split()], np.int32)


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("", []),
        ("O O", []),
        ("B-x", [("x", 0, 1)]),
        ("O B-x I-x O", [("x", 1, 3)]),
        ("B-x B-x", [("x", 0, 1), ("x", 1, 2)]),
        ("B-x B-y I-y", [("x", 0, 1), ("y", 1, 3)]),
        # repaired: an inside without its beginning begins
        ("I-x I-x O", [("x", 0, 2)]),
        ("B-x I-y I-y", [("x", 0, 1), ("y", 1, 3)]),
        ("B-x O I-x", [("x", 0, 1), ("x", 2, 3)]),
        # BIOES
        ("B-x I-x E-x", [("x", 0, 3)]),
        ("S-x S-x", [("x", 0, 1), ("x", 1, 2)]),
        ("B-x E-x I-x", [("x", 0, 2), ("x", 2, 3)]),
        ("S-x I-x E-x", [("x", 0, 1), ("x", 1, 3)]),
        ("E-x E-x", [("x", 0, 1), ("x", 1, 2)]),
        ("B-x E-y", [("x", 0, 1), ("y", 1, 2)]),
        ("B-x S-x", [("x", 0, 1), ("x", 1, 2)]),
        ("B-x I-x", [("x", 0, 2)]),
    ],
)
def test_tags_to_spans(face, tags, spans):
    assert face("spans").tag_spans(tags_of(tags), LABELS) == spans


@given(tags=st.lists(st.integers(0, len(NAMES) - 1)))
def test_spans_cover_what_is_tagged_once_and_in_order(face, tags):
    spans = face("spans").tag_spans(np.array(tags, np.int32), LABELS)
    places = [place for _, first, last in spans for place in range(first, last)]
    assert places == [place for place, tag in enumerate(tags) if tag != 0]
    for type_, first, last in spans:
        assert type(first) is int and type(last) is int
        assert {NAMES[tag][2:] for tag in tags[first:last]} == {type_}
    assert spans == reference.tag_spans(np.array(tags, np.int32), LABELS)


@given(data=st.data(), scheme=st.sampled_from(["BIO", "BIOES"]))
def test_what_is_written_as_tags_is_read_back(face, data, scheme):
    spans, names, place = [], [], 0
    for type_, gap, length in data.draw(
        st.lists(st.tuples(st.sampled_from("xy"), st.integers(0, 2), st.integers(1, 4)), max_size=5)
    ):
        place += gap
        inner = [f"I-{type_}"] * (length - 1)
        if scheme == "BIOES":
            inner = inner[:-1] + ["E-" + type_] * (length > 1)
        names += ["O"] * gap + [("S-" if scheme == "BIOES" and length == 1 else "B-") + type_, *inner]
        spans.append((type_, place, place + length))
        place += length
    assert face("spans").tag_spans(tags_of(" ".join(names)), LABELS) == spans


def test_scores_are_mean_softmax_probabilities(face):
    """exp(ln 3) : 1 is 3/4; a row of equals is 1/2; a row of minus infinities is nothing."""
    log3 = np.log(3, dtype=np.float32)
    emissions = np.array([[0, log3], [5, 5], [1e30, 0], [-np.inf, -np.inf], [log3, -np.inf]], np.float32)
    tags = np.array([1, 0, 0, 1, 0], np.int32)
    spans = [("x", 0, 1), ("x", 0, 2), ("x", 2, 3), ("x", 3, 4), ("x", 4, 5)]
    assert face("spans").span_scores(emissions, tags, spans) == pytest.approx([0.75, 0.625, 1.0, 0.0, 1.0])
    assert face("spans").span_scores(emissions, tags, []) == []
    assert face("spans").span_scores(emissions[:0], tags[:0], []) == []


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 8), n_tags=st.integers(1, 40))
def test_scores_agree(face, seed, n, n_tags):
    generator = np.random.default_rng(seed)
    emissions = (generator.normal(size=(n, 2 * n_tags)) * 5).astype(np.float32)[:, ::2]  # not contiguous
    tags = generator.integers(0, n_tags, n).astype(np.int32)
    spans = [("x", first, last) for first in range(n) for last in range(first + 1, n + 1)]
    scores = face("spans").span_scores(emissions, tags, spans)
    assert scores == pytest.approx(reference.span_scores(emissions, tags, spans), abs=1e-6)
    assert all(type(score) is float and 0 <= score <= 1 + 1e-12 for score in scores)


TAGS = np.array([0, 1], np.int32)
EMISSIONS = np.zeros((2, len(NAMES)), np.float32)
WRONG = {
    "tags a list": ("tag_spans", ([0, 1], LABELS), "bad_tags"),
    "tags int64": ("tag_spans", (np.array([0, 1]), LABELS), "bad_tags"),
    "tags a matrix": ("tag_spans", (TAGS.reshape(1, 2), LABELS), "bad_tags"),
    "tag too large": ("tag_spans", (np.array([0, 9], np.int32), LABELS), "bad_tag"),
    "tag negative": ("tag_spans", (np.array([-1], np.int32), LABELS), "bad_tag"),
    "labels a list": ("tag_spans", (TAGS, NAMES), "bad_labels"),
    "score: emissions float64": ("span_scores", (EMISSIONS.astype(float), TAGS, []), "bad_scores"),
    "score: NaN": ("span_scores", (np.full_like(EMISSIONS, np.nan), TAGS, []), "not_a_number"),
    "score: tags a list": ("span_scores", (EMISSIONS, [0, 1], []), "bad_tags"),
    "score: fewer tags": ("span_scores", (EMISSIONS, TAGS[:1], []), "bad_tags"),
    "score: tag too large": ("span_scores", (EMISSIONS, TAGS + 8, []), "bad_tag"),
    "score: span outside": ("span_scores", (EMISSIONS, TAGS, [("x", 1, 3)]), "bad_span"),
    "score: span empty": ("span_scores", (EMISSIONS, TAGS, [("x", 1, 1)]), "bad_span"),
    "score: span backwards": ("span_scores", (EMISSIONS, TAGS, [("x", 0, 2), ("x", 1, 0)]), "bad_span"),
    "score: span negative": ("span_scores", (EMISSIONS, TAGS, [("x", -1, 1)]), "bad_span"),
    "score: span huge": ("span_scores", (EMISSIONS, TAGS, [("x", 0, 2**80)]), "bad_span"),
    "score: span no triple": ("span_scores", (EMISSIONS, TAGS, [(0, 1)]), "bad_span"),
    "score: spans a str": ("span_scores", (EMISSIONS, TAGS, "ab"), "bad_span"),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_name_the_argument_in_every_face(face, case):
    name, arguments, code = WRONG[case]
    result = outcome(getattr(face("spans"), name), *arguments)
    assert result[0] == code
    assert result == outcome(getattr(reference, name), *arguments)


def test_labels_are_parsed():
    labels = TagLabels(["I-b", "O", "B-a", "S-b"])
    assert labels.type_names == ("b", "a")
    assert labels.types.tolist() == [0, -1, 1, 0]
    assert labels.kinds.tolist() == [2, 0, 1, 4]
    assert len(labels) == 4
    assert labels == TagLabels(("I-b", "O", "B-a", "S-b"))
    with pytest.raises(KernelError, match="tag 1 is named 'B'"):
        TagLabels(["O", "B"])
