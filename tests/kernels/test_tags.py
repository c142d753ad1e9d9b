"""Tag decoding: all paths by brute force, CRFsuite as the outside oracle, masks, ties, errors, in every face."""

from __future__ import annotations

import importlib
import itertools
import random

import numpy as np
import pytest
from faces import outcome
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import KernelError

reference = importlib.import_module("edge_sdk.kernels.reference.tags")


@st.composite
def problems(draw, max_tags=4, max_tokens=5):
    """(emissions, transitions, start, end, masks): small whole scores, so that sums are exact and ties abound."""
    n_tags, n_tokens = draw(st.integers(1, max_tags)), draw(st.integers(0, max_tokens))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([0, 1, 3, 1000]))
    shares = draw(st.sampled_from([1.0, 0.8, 0.5, 0.2]))

    def scores(*shape):
        values = generator.integers(-spread, spread + 1, shape).astype(np.float32)
        return np.where(generator.random(shape) < 0.05, np.float32(-np.inf), values) if spread == 3 else values

    masks = [generator.random(shape) < shares for shape in ((n_tags, n_tags), (n_tags,), (n_tags,))]
    if draw(st.booleans()):
        masks = [mask.astype(np.uint8) * 7 for mask in masks]  # anything but zero allows
    masks = [None if draw(st.booleans()) else mask for mask in masks]
    return scores(n_tokens, n_tags), scores(n_tags, n_tags), scores(n_tags), scores(n_tags), *masks


def all_paths(emissions, transitions, start, end, allowed, allowed_start, allowed_end):
    """Every allowed path with its score, best first; of equals the one with the smaller tags, seen from the end."""
    n_tokens, n_tags = emissions.shape
    paths = []
    for path in itertools.product(range(n_tags), repeat=n_tokens):
        steps = list(itertools.pairwise(path))
        score = start[path[0]] + sum(emissions[i, tag] for i, tag in enumerate(path)) + end[path[-1]]
        score += sum(transitions[step] for step in steps)
        permitted = allowed is None or all(allowed[step] for step in steps)
        permitted &= allowed_start is None or bool(allowed_start[path[0]])
        permitted &= allowed_end is None or bool(allowed_end[path[-1]])
        if permitted and score > -np.inf:
            paths.append((-score, path[::-1]))
    return [(list(path[::-1]), -score) for score, path in sorted(paths)]


@given(problem=problems())
def test_viterbi_equals_brute_force(face, problem):
    result = outcome(face("tags").viterbi, *problem)
    if len(problem[0]) == 0:
        assert result[0].shape == (0,) and result[1] == 0.0
        return
    paths = all_paths(*problem)
    if not paths:
        assert result[0] == "no_path"
        return
    assert result[0].dtype == np.int32
    assert (result[0].tolist(), result[1]) == paths[0]


@given(problem=problems(), n=st.integers(1, 12))
def test_nbest_equals_brute_force(face, problem, n):
    result = outcome(face("tags").viterbi_nbest, *problem, n=n)
    if len(problem[0]) == 0:
        assert [(tags.tolist(), score) for tags, score in result] == [([], 0.0)]
        return
    paths = all_paths(*problem)
    if not paths:
        assert result[0] == "no_path"
        return
    assert [(tags.tolist(), score) for tags, score in result] == paths[:n]


@given(
    seed=st.integers(0, 2**32 - 1),
    n_tags=st.integers(1, 70),
    n_tokens=st.integers(1, 12),
    share=st.sampled_from([1.0, 0.6, 0.3, 0.1]),
)
def test_faces_agree_to_the_bit_on_real_scores(face, seed, n_tags, n_tokens, share):
    """Sums are rounded in one order everywhere; sizes around every vector width, dense and sparse masks mixed."""
    generator = np.random.default_rng(seed)
    emissions, transitions, start, end = (
        generator.normal(size=shape).astype(np.float32)
        for shape in ((n_tokens, n_tags), (n_tags, n_tags), (n_tags,), (n_tags,))
    )
    allowed = generator.random((n_tags, n_tags)) < np.where(generator.random(n_tags) < 0.5, share, 1.0)
    for name, more in (("viterbi", {}), ("viterbi_nbest", {"n": 3})):
        result = outcome(getattr(face("tags"), name), emissions, transitions, start, end, allowed, **more)
        expected = outcome(getattr(reference, name), emissions, transitions, start, end, allowed, **more)
        assert repr(result) == repr(expected)
    if not isinstance(expected[0], str):
        best, score = outcome(face("tags").viterbi, emissions, transitions, start, end, allowed)
        assert expected[0][0].tolist() == best.tolist()
        assert expected[0][1] == score


def test_one_decoder_for_many_utterances(face):
    generator = np.random.default_rng(0)
    scores = [generator.normal(size=shape).astype(np.float32) for shape in ((9, 9), (9,), (9,))]
    decoder = face("tags").TagDecoder(*scores)
    assert decoder.n_tags == 9
    for n_tokens in (1, 7, 0, 300):
        emissions = generator.normal(size=(n_tokens, 9)).astype(np.float32)
        tags, score = decoder.decode(emissions)
        expected_tags, expected_score = reference.viterbi(emissions, *scores)
        assert tags.tolist() == expected_tags.tolist()
        assert score == expected_score


def test_the_decoder_keeps_its_own_scores(face):
    transitions, zeros = np.array([[0, 1], [0, 0]], np.float32), np.zeros(2, np.float32)
    decoder = face("tags").TagDecoder(transitions, zeros, zeros)
    transitions[:] = -9
    assert decoder.decode(np.zeros((2, 2), np.float32))[1] == 1.0


def test_arrays_need_not_be_contiguous(face):
    generator = np.random.default_rng(0)
    emissions, transitions = (generator.normal(size=(5, 10)).astype(np.float32)[:, ::2] for _ in range(2))
    start, end = (generator.normal(size=10).astype(np.float32)[::2] for _ in range(2))
    allowed, first = np.ones((5, 5), bool).T, np.ones(10, np.uint8)[::2]
    packed = [np.ascontiguousarray(array) for array in (emissions, transitions, start, end, allowed, first, first)]
    result = face("tags").viterbi(emissions, transitions, start, end, allowed, first, first)
    assert repr(result) == repr(reference.viterbi(*packed))
    assert face("tags").argmax_tags(emissions).tolist() == packed[0].argmax(axis=1).tolist()


def test_crfsuite_decodes_the_same(face):
    """A CRF that CRFsuite trains: with its weights, the best path is the one that it predicts, ties apart."""
    crfsuite = pytest.importorskip("sklearn_crfsuite", reason="has no wheel for every machine that runs these tests")
    rng = random.Random(0)
    words = {"O": ["at", "the", "in"], "B-a": ["New", "Los"], "I-a": ["York", "Angeles", "in"], "B-b": ["jazz", "the"]}
    follow = {"O": ["O", "B-a", "B-b"], "B-a": ["I-a", "I-a", "O"], "I-a": ["O", "B-b"], "B-b": ["O", "B-a"]}
    inputs, outputs = [], []
    for _ in range(120):
        tags = ["O"]
        while len(tags) < rng.randint(2, 9):
            tags.append(rng.choice(follow[tags[-1]]))
        outputs.append(tags)
        inputs.append([{"w": rng.choice(words[tag])} for tag in tags])
    crf = crfsuite.CRF(max_iterations=25, c1=0, c2=0.05, all_possible_transitions=True)
    crf.fit(inputs, outputs)
    names = list(crf.classes_)
    transitions = np.array([[crf.transition_features_.get((a, b), 0) for b in names] for a in names], np.float32)
    zeros = np.zeros(len(names), np.float32)
    decoder = face("tags").TagDecoder(transitions, zeros, zeros)
    assert np.abs(transitions).max() > 1
    n_clear = 0
    for sentence, predicted in zip(inputs, crf.predict(inputs)):
        rows = [[crf.state_features_.get((f"w:{token['w']}", name), 0) for name in names] for token in sentence]
        emissions = np.array(rows, np.float32)
        path = [names.index(name) for name in predicted]
        best, second = decoder.nbest(emissions, 2)
        assert decoder.decode(emissions)[1] == best[1]
        assert sum(emissions[range(len(path)), path]) + transitions[path[:-1], path[1:]].sum() == pytest.approx(best[1])
        if best[1] - second[1] > 1e-3:
            assert best[0].tolist() == path
            n_clear += 1
    assert n_clear > 60


def test_argmax_takes_the_smallest_of_equals(face):
    emissions = np.array([[1, 3, 3], [0, -np.inf, 0], [-np.inf] * 3], np.float32)
    tags = face("tags").argmax_tags(emissions)
    assert tags.dtype == np.int32
    assert tags.tolist() == [1, 0, 0]
    assert face("tags").argmax_tags(emissions[:0]).tolist() == []


def test_bio_masks(face):
    allowed, first, last = face("tags").bio_masks(["O", "B-x", "I-x", "I-y", "B-y"])
    assert allowed.dtype == first.dtype == last.dtype == np.uint8
    assert allowed.tolist() == [
        [1, 1, 0, 0, 1],  # O
        [1, 1, 1, 0, 1],  # B-x
        [1, 1, 1, 0, 1],  # I-x
        [1, 1, 0, 1, 1],  # I-y
        [1, 1, 0, 1, 1],  # B-y
    ]
    assert first.tolist() == [1, 1, 0, 0, 1]
    assert last.tolist() == [1, 1, 1, 1, 1]


def test_bioes_masks(face):
    allowed, first, last = face("tags").bio_masks(["O", "B-x", "I-x", "E-x", "S-x", "S-y", "E-y"])
    after_inside = [0, 0, 1, 1, 0, 0, 0]
    after_outside = [1, 1, 0, 0, 1, 1, 0]
    assert allowed.tolist() == [
        after_outside,  # O
        after_inside,  # B-x
        after_inside,  # I-x
        after_outside,  # E-x
        after_outside,  # S-x
        after_outside,  # S-y
        after_outside,  # E-y
    ]
    assert first.tolist() == after_outside
    assert last.tolist() == [1, 0, 0, 1, 1, 1, 1]


@given(labels=st.lists(st.sampled_from(["O", *(f"{kind}-{name}" for kind in "BIES" for name in ("a", "é b", "-"))])))
def test_masks_agree(face, labels):
    for mask, expected in zip(face("tags").bio_masks(labels), reference.bio_masks(labels)):
        assert mask.dtype == expected.dtype
        assert np.array_equal(mask, expected)


@pytest.mark.parametrize("labels", [["O", "B"], ["o"], [""], ["B-"], ["X-a"], ["B_a"], ["O-a"], ["O", 3], [None]])
def test_names_outside_the_schemes_are_refused(face, labels):
    result = outcome(face("tags").bio_masks, labels)
    assert result[0] == "bad_label"
    assert result == outcome(reference.bio_masks, labels)


def f32(*shape, fill=0.0):
    return np.full(shape, fill, np.float32)


def put(array, place, value):
    array[place] = value
    return array


GOOD = (f32(2, 3), f32(3, 3), f32(3), f32(3))
WRONG = {
    "emissions float64": ((np.zeros((2, 3)), *GOOD[1:]), "bad_scores"),
    "emissions a list": (([[0.0] * 3], *GOOD[1:]), "bad_scores"),
    "emissions of other tags": ((f32(2, 4), *GOOD[1:]), "bad_scores"),
    "emissions a vector": ((f32(3), *GOOD[1:]), "bad_scores"),
    "transitions not square": ((GOOD[0], f32(3, 4), *GOOD[2:]), "bad_scores"),
    "no tags": ((f32(2, 0), f32(0, 0), f32(0), f32(0)), "bad_scores"),
    "start of other tags": ((*GOOD[:2], f32(4), GOOD[3]), "bad_scores"),
    "end a list": ((*GOOD[:3], [0.0] * 3), "bad_scores"),
    "mask of floats": ((*GOOD, f32(3, 3)), "bad_mask"),
    "mask of another shape": ((*GOOD, None, np.ones(4, bool)), "bad_mask"),
    "mask a list": ((*GOOD, None, None, [1, 1, 1]), "bad_mask"),
    "NaN in emissions": ((put(f32(2, 3), (1, 2), np.nan), *GOOD[1:]), "not_a_number"),
    "infinity in emissions": ((put(f32(2, 3), (0, 1), np.inf), *GOOD[1:]), "not_a_number"),
    "beyond the limit": ((put(f32(2, 3), (1, 0), -2e30), *GOOD[1:]), "not_a_number"),
    "NaN in transitions": ((GOOD[0], put(f32(3, 3), (2, 0), np.nan), *GOOD[2:]), "not_a_number"),
    "NaN in end": ((*GOOD[:3], put(f32(3), 1, np.nan)), "not_a_number"),
    "masked to nothing": ((*GOOD, None, np.zeros(3, bool)), "no_path"),
    "no emission possible": ((put(f32(2, 3), 1, -np.inf), *GOOD[1:]), "no_path"),
}


@pytest.mark.parametrize("case", WRONG)
def test_errors_name_the_argument_in_every_face(face, case):
    arguments, code = WRONG[case]
    for name, more in (("viterbi", {}), ("viterbi_nbest", {"n": 2})):
        result = outcome(getattr(face("tags"), name), *arguments, **more)
        assert result[0] == code
        assert result == outcome(getattr(reference, name), *arguments, **more)


@pytest.mark.parametrize("n", [0, -1, 1025, 2.0, "2", None])
def test_nbest_of_no_sensible_number_is_refused(face, n):
    with pytest.raises(KernelError, match="n is"):
        face("tags").viterbi_nbest(*GOOD, n=n)


@pytest.mark.parametrize("emissions", [f32(2, 0), np.zeros((2, 3)), put(f32(2, 3), (1, 1), np.nan), "scores"])
def test_argmax_refuses_what_is_no_score(face, emissions):
    result = outcome(face("tags").argmax_tags, emissions)
    assert isinstance(result[0], str)
    assert result == outcome(reference.argmax_tags, emissions)


def test_the_largest_scores_do_not_overflow(face):
    tags, score = face("tags").viterbi(*(f32(*array.shape, fill=1e30) for array in GOOD))
    assert tags.tolist() == [0, 0]
    assert score == pytest.approx(5e30)
