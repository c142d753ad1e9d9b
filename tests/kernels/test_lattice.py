"""The lattice: all paths tried, the paper's Table 3, and every face."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from faces import outcome
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import KernelError

reference = importlib.import_module("edge_sdk.kernels.reference.lattice")
trie = importlib.import_module("edge_sdk.kernels.reference.trie")


def int32(*values):
    return np.array(values, np.int32)


def tiling(words):
    ends = np.cumsum([len(word) for word in words]).astype(np.int32)
    return np.append(0, ends[:-1]).astype(np.int32), ends


# CWSeg, Table 3: the model's words, and those of its lexicon that the row's other columns show.
TABLE_3 = {
    "新型冠状病毒": (
        "新型/冠状/病毒", "新型/冠状/病毒", "新型冠状病毒", "新型/冠状/病毒/新型冠状病毒/冠状病毒",
        ["新型冠状病毒", "冠状病毒"],
    ),
    "上海中心大厦": (
        "上海/中心/大厦", "上海/中心/大厦", "上海中心大厦", "上海/中心/大厦/上海中心/中心大厦/上海中心大厦",
        ["上海中心", "中心大厦", "上海中心大厦"],
    ),
    "欧洲联盟": ("欧洲/联盟", "欧洲/联盟", "欧洲联盟", "欧洲/联盟/欧洲联盟", ["欧洲联盟"]),
    "中国科学技术大学": (
        "中国/科学技术/大学", "中国/科学/技术/大学", "中国科学技术大学",
        "中国/科学技术/大学/科学/技术/中国科学技术大学",
        ["科学", "技术", "中国科学技术大学"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", TABLE_3)
def test_table_3(face, text):
    *expected, lexicon = TABLE_3[text]
    found = face("trie").Trie.build(lexicon).matches(text)
    words = tiling(expected[0].split("/"))
    for mode, row in zip(("normal", "fine", "coarse", "index"), expected):
        starts, ends = face("lattice").segment(mode, len(text), *words, found.starts, found.ends)
        result = [text[start:end] for start, end in zip(starts, ends)]
        if mode == "index":  # a set in the paper, whose order differs from row to row; here by position
            assert len(result) == len(set(result)) and set(result) == set(row.split("/"))
            assert list(zip(starts, ends)) == sorted(zip(starts, ends))
        else:
            assert "/".join(result) == row


# Their sums are exact in float64, and often equal.
EXACT = st.sampled_from([0.0, 1.0, -1.0, 0.5, -np.inf]) | st.integers(-(2**20), 2**20).map(lambda n: n / 1024)


@st.composite
def lattices(draw, score=EXACT):
    """(length, starts, ends, scores)"""
    length = draw(st.integers(0, 8))
    edges = []
    if length:
        start = st.integers(0, length - 1)
        edge = start.flatmap(lambda s: st.tuples(st.just(s), st.integers(s + 1, length)))
        edges = draw(st.lists(edge, max_size=20))
        edges += [(i, i + 1) for i in range(length) if draw(st.booleans())]
    scores = draw(st.lists(score, min_size=len(edges), max_size=len(edges)))
    starts, ends = zip(*edges) if edges else ((), ())
    return length, int32(*starts), int32(*ends), np.array(scores, np.float32)


def all_paths(length, starts, ends, scores):
    paths = [([], 0)]
    while paths:
        path, at = paths.pop()
        if at == length:
            yield path
        for index in np.flatnonzero((starts == at) & (scores > -np.inf)):
            paths.append(([*path, int(index)], int(ends[index])))


def rank(path, ends, scores):
    """Larger is better: the sum made from the end, fewer words, longer words first, smaller indices."""
    total = 0.0
    for index in reversed(path):
        total = float(scores[index]) + total
    return total, -len(path), [(int(ends[index]), -index) for index in path]


@given(lattice=lattices())
def test_best_path_against_all_paths(face, lattice):
    length, starts, ends, scores = lattice
    paths = sorted((rank(path, ends, scores), path) for path in all_paths(*lattice))
    if paths:
        path, score = face("lattice").best_path(*lattice)
        assert path.dtype == np.int32 and path.tolist() == paths[-1][1]
        assert score == paths[-1][0][0]
    else:
        result = outcome(face("lattice").best_path, *lattice)
        assert result[0] == "no_path" and result == outcome(reference.best_path, *lattice)


@given(lattice=lattices(st.just(-np.inf) | st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_best_path_with_sums_that_round(face, lattice):
    """Every face rounds alike."""
    result, expected = outcome(face("lattice").best_path, *lattice), outcome(reference.best_path, *lattice)
    assert len(result) == len(expected) and result[1] == expected[1]
    assert np.array_equal(result[0], expected[0])


@given(lattice=lattices(), marks=st.lists(st.integers(0, 1), min_size=9, max_size=9))
def test_borders_by_their_definition(face, lattice, marks):
    length, starts, ends, _ = lattice
    borders = face("lattice").extract_borders(length, starts, ends)
    positions = {int(i) for i in (*starts, *ends)}
    assert borders.dtype == np.uint8 and borders.tolist() == [int(i in positions) for i in range(length + 1)]
    borders = np.array(marks[: length + 1], np.uint8)
    cut = face("lattice").cut_borders(starts, ends, borders)
    link = face("lattice").link_borders(starts, ends, borders)
    assert cut.dtype == link.dtype == np.bool_
    for start, end, is_cut, is_link in zip(starts, ends, cut, link):
        assert is_cut == (not borders[start + 1 : end].any())
        assert is_link == bool(borders[start] and borders[end])


@given(lattice=lattices(), data=st.data())
def test_modes(face, lattice, data):
    """Normal is the model's; fine and coarse tile the text, on their side of normal; index holds them all."""
    length, starts, ends, _ = lattice
    order = np.lexsort((ends, starts))
    matches = starts[order], ends[order]
    borders = [i for i in range(1, length) if data.draw(st.booleans())]
    words = (int32(0, *borders), int32(*borders, length)) if length else (int32(), int32())
    result = {}
    for mode in ("normal", "fine", "coarse", "index"):
        found = face("lattice").segment(mode, length, *words, *matches)
        assert [column.dtype for column in found] == [np.int32, np.int32]
        assert all(np.array_equal(a, b) for a, b in zip(found, reference.segment(mode, length, *words, *matches)))
        result[mode] = list(zip(*(column.tolist() for column in found)))
        if mode != "index":
            assert [0, *(end for _, end in result[mode])] == [*(start for start, _ in result[mode]), length]
    assert result["normal"] == list(zip(*(column.tolist() for column in words)))
    assert len(result["coarse"]) <= len(result["normal"]) <= len(result["fine"])
    edges = {*zip(*(column.tolist() for column in matches))}
    assert result["index"] == sorted({*result["normal"], *result["fine"], *result["coarse"], *edges})
    for start, end in result["fine"]:
        assert not any(start < border < end for border in borders)
    for start, end in result["coarse"]:
        assert {start, end} <= {0, *borders, length}


def test_fine_does_not_split_for_single_characters(face):
    """中国人 with the lexicon 中国, 人: the split would only gain a single character."""
    words, matches = (int32(0), int32(3)), (int32(0, 2), int32(2, 3))
    starts, ends = face("lattice").segment("fine", 3, *words, *matches)
    assert (starts.tolist(), ends.tolist()) == ([0], [3])


def test_arrays_that_are_not_contiguous(face):
    starts, ends = int32(0, 9, 1, 9)[::2], int32(1, 9, 3, 9)[::2]
    path, score = face("lattice").best_path(3, starts, ends, np.array([1, 5, 2], np.float32)[::2])
    assert path.tolist() == [0, 1] and score == 3.0


def test_long_lattice(face):
    """100,000 characters: nothing recurses, and sums stay exact."""
    n = 100_000
    starts = np.concatenate([np.arange(n), np.arange(0, n, 2)]).astype(np.int32)
    ends = np.concatenate([np.arange(1, n + 1), np.arange(2, n + 1, 2)]).astype(np.int32)
    path, score = face("lattice").best_path(n, starts, ends, np.where(ends - starts == 2, 2, 1).astype(np.float32))
    assert path.tolist() == list(range(n, n + n // 2)) and score == n


ONES = np.ones(2, np.float32)
ERRORS = {
    "length below 0": ("best_path", -1, int32(0, 1), int32(1, 2), ONES),
    "length is a float": ("best_path", 2.0, int32(0, 1), int32(1, 2), ONES),
    "starts is a list": ("best_path", 2, [0, 1], int32(1, 2), ONES),
    "starts are int64": ("extract_borders", 2, np.array([0, 1], np.int64), int32(1, 2)),
    "ends of another length": ("best_path", 2, int32(0, 1), int32(1), ONES),
    "scores of another length": ("best_path", 2, int32(0, 1), int32(1, 2), ONES[:1]),
    "scores are float64": ("best_path", 2, int32(0, 1), int32(1, 2), np.ones(2)),
    "a word beyond the text": ("best_path", 2, int32(0, 1), int32(1, 3), ONES),
    "a word before the text": ("extract_borders", 2, int32(0, -1), int32(1, 2)),
    "an empty word": ("best_path", 2, int32(0, 1), int32(1, 1), ONES),
    "a score is NaN": ("best_path", 2, int32(0, 1), int32(1, 2), np.array([0, np.nan], np.float32)),
    "a score is infinite": ("best_path", 2, int32(0, 1), int32(1, 2), np.array([np.inf, 0], np.float32)),
    "a wrong word and a wrong score": ("best_path", 2, int32(0, 1), int32(1, 3), np.array([np.nan, 0], np.float32)),
    "no path": ("best_path", 4, int32(0, 1), int32(1, 3), ONES),
    "no words": ("best_path", 4, int32(), int32(), ONES[:0]),
    "borders are bool": ("cut_borders", int32(0), int32(1), np.ones(3, np.bool_)),
    "borders beyond 1": ("link_borders", int32(0), int32(1), np.array([0, 2], np.uint8)),
    "no borders": ("link_borders", int32(), int32(), np.array([], np.uint8)),
    "a word beyond the borders": ("cut_borders", int32(0), int32(4), np.ones(3, np.uint8)),
    "unknown mode": ("segment", "rough", 1, int32(0), int32(1), int32(), int32()),
    "words do not tile": ("segment", "fine", 3, int32(0, 2), int32(1, 3), int32(), int32()),
    "words stop early": ("segment", "normal", 3, int32(0), int32(2), int32(), int32()),
    "matches out of order": ("segment", "index", 3, int32(0), int32(3), int32(1, 0), int32(2, 1)),
    "a match beyond the text": ("segment", "coarse", 3, int32(0), int32(3), int32(1), int32(4)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_the_same_in_every_face(face, name):
    function, *arguments = ERRORS[name]
    result = outcome(getattr(face("lattice"), function), *arguments)
    assert isinstance(result[0], str) and result == outcome(getattr(reference, function), *arguments)
    assert result[1] and result[2]


def test_no_path_says_how_far_it_got(face):
    with pytest.raises(KernelError, match="from the start they reach 3 at most"):
        face("lattice").best_path(5, int32(0, 1, 4), int32(1, 3, 5), np.zeros(3, np.float32))
