"""The embedder on bundles whose vectors can be worked out again."""

from __future__ import annotations

import json
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge_sdk
from edge_sdk.bundle import write_bundle
from edge_sdk.errors import BackendError, BundleError, EdgeError, InputError
from edge_sdk.index import VectorIndex
from edge_sdk.kernels import PhraseScheme, phrase_ngrams
from edge_sdk.phrase import normalise_phrase
from tests.data import tiny_embedder
from tests.data.tiny_embedder import CHARACTERS, DIMENSION, MAX_CHARACTERS, NGRAMS

KINDS = ("characters", "ngrams")


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedders")
    found = {kind: folder / f"tiny-{kind}.edge" for kind in KINDS}
    for kind, path in found.items():
        tiny_embedder.build(path, kind)
    return found


@pytest.fixture(scope="module", params=KINDS)
def embedder(request, paths):
    with edge_sdk.load(paths[request.param]) as task:
        yield task


def expected(kind: str, text: str) -> np.ndarray:
    """The sum of the table's rows, brought to length 1."""
    phrase = normalise_phrase(text)[:MAX_CHARACTERS].rstrip()
    if kind == "characters":
        numbers = [CHARACTERS.find(character) + 1 for character in phrase]
    else:
        numbers = phrase_ngrams(phrase, PhraseScheme(**NGRAMS)).tolist()
    total = tiny_embedder.table(kind)[numbers].astype(np.float64).sum(0)
    return total / np.linalg.norm(total) if numbers else total


def kind_of(embedder) -> str:
    return embedder.bundle.manifest.name.removeprefix("tiny-")


@given(texts=st.lists(st.text(max_size=40), max_size=8))
@pytest.mark.parametrize("kind", KINDS)
def test_any_text_has_its_vector(paths, kind, texts):
    """Alone and in a batch, whatever the text holds."""
    with edge_sdk.load(paths[kind]) as embedder:
        rows = embedder.vectors(texts)
        batch = embedder.batch(texts)
        assert rows.shape == (len(texts), DIMENSION) and rows.dtype == np.float32
        for text, row, result in zip(texts, rows, batch):
            wanted = expected(kind, text)
            alone = embedder(text)
            assert alone.text == result.text == text
            for vector in (alone.vector, row, result.vector):
                assert vector.shape == (DIMENSION,) and vector.dtype == np.float32
                assert np.allclose(vector, wanted, atol=1e-5)


@pytest.mark.parametrize("text", ["", "   ", "\t\n", "?!-_", "\ud800", "\u0000"])
def test_texts_without_letters_and_digits(embedder, text):
    assert not embedder(text).vector.any()
    assert embedder.similarity(text, "lithium") == 0.0
    assert embedder.similarity(text, text) == 0.0


@pytest.mark.parametrize("text", ["日本語", "Ж", "😀 x", "a\ud800b", "Zoë\u0301", "ſ", "١٢٣", "x" * MAX_CHARACTERS])
def test_odd_texts_have_a_direction(embedder, text):
    assert np.linalg.norm(embedder(text).vector) == pytest.approx(1, abs=1e-5)
    assert embedder.similarity(text, text) == pytest.approx(1, abs=1e-5)


def test_one_phrase_however_it_is_written(embedder):
    vector = embedder("lithium ion battery").vector
    for text in ("Lithium-Ion Battery", "  LITHIUM\tion_battery!", "ｌｉｔｈｉｕｍ ion battery"):
        assert np.array_equal(embedder(text).vector, vector)


def test_a_long_text_is_cut_with_one_warning(paths):
    word = "lithium "
    with edge_sdk.load(paths["ngrams"]) as embedder:
        with pytest.warns(UserWarning, match=f"99999 characters, tiny-ngrams reads the first {MAX_CHARACTERS}"):
            found = embedder("x" * 99_999)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.array_equal(embedder("x" * MAX_CHARACTERS).vector, found.vector)
            long = embedder(word * 12_500)
            assert len(long.text) == 100_000
            assert np.allclose(long.vector, expected("ngrams", word * 13), atol=1e-5)
        embedder.vectors(["x" * 1000])


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda e: e(None), "argument text "),
        (lambda e: e(b"bytes"), "argument text "),
        (lambda e: e.batch("one text"), "argument texts "),
        (lambda e: e.batch(["a", 1]), r"argument texts\[1\]"),
        (lambda e: e.similarity("a", 1), r"argument texts\[1\]"),
        (lambda e: e.neighbours(1, ["a"]), r"argument texts\[0\]"),
    ],
)
def test_what_is_no_text(embedder, call, argument):
    with pytest.raises(InputError, match=argument) as caught:
        call(embedder)
    assert caught.value.code == "input_type"


def test_similarity_is_the_cosine(embedder):
    a, b = "lithium ion battery", "battery cell"
    wanted = expected(kind_of(embedder), a) @ expected(kind_of(embedder), b)
    assert embedder.similarity(a, b) == pytest.approx(wanted, abs=1e-5)


def test_batches_of_many_lengths(embedder):
    texts = [f"{'word ' * (i % 9)}{'x' * (i % 23)}" for i in range(300)]
    rows = embedder.vectors(texts)
    assert np.allclose(rows, [expected(kind_of(embedder), text) for text in texts], atol=1e-5)


def test_threads_share_an_embedder(embedder):
    texts = [f"phrase number {i}" for i in range(200)]
    alone = [embedder(text).vector for text in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: embedder(text).vector, texts))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together))


def test_result_as_json(embedder):
    found = json.loads(json.dumps(embedder("lithium").to_dict()))
    assert list(found) == ["text", "vector"]
    assert np.array_equal(np.array(found["vector"], np.float32), embedder("lithium").vector)


def test_after_close(paths):
    embedder = edge_sdk.load(paths["ngrams"])
    embedder.close()
    for call in (lambda: embedder("a"), lambda: embedder.vectors(["a"]), lambda: embedder.batch([])):
        with pytest.raises(EdgeError) as caught:
            call()
        assert caught.value.code == "task_closed"


def test_verify(paths):
    for path in paths.values():
        assert edge_sdk.verify(path).selftests == {"onnx": 6}


# --- neighbours of phrases in memory; those of files and indexes are in test_vocabulary.py


def test_neighbours_of_a_list(embedder):
    phrases = ["neural network", "battery of lithium ions", "lithium ion batteries", "lithium ion battery"]
    found = embedder.neighbours("Lithium-ion battery", phrases, top=3)
    assert [n.text for n in found][:2] == ["lithium ion battery", "lithium ion batteries"]
    assert found[0].score == pytest.approx(1, abs=1e-4)
    kind = kind_of(embedder)
    for neighbour in found:
        cosine = expected(kind, "lithium ion battery") @ expected(kind, neighbour.text)
        assert neighbour.score == pytest.approx(cosine, abs=0.01)
    assert [n.score for n in found] == sorted((n.score for n in found), reverse=True)
    index = embedder.index(phrases)
    assert isinstance(index, VectorIndex)
    assert embedder.neighbours("Lithium-ion battery", index, top=3) == found
    assert embedder.neighbours("x", [], top=3) == []


# --- bundles that contradict themselves


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("ngrams", {"dimension": 65}, "bundle_graph_mismatch"),
        ("ngrams", {"dimension": 0}, "bundle_schema"),
        ("ngrams", {"max_characters": 0}, "bundle_schema"),
        ("ngrams", {"normalisation": "phrase-v2"}, "bundle_schema"),
        ("ngrams", {"more": 1}, "bundle_schema"),
        ("ngrams", {"input": {"kind": "pixels"}}, "bundle_schema"),
        ("ngrams", {"input": {"kind": "ngrams", **NGRAMS, "ngram_min": 4}}, "bundle_schema"),
        ("ngrams", {"input": {"kind": "ngrams", **NGRAMS, "ngram_buckets": 0}}, "bundle_schema"),
        ("ngrams", {"input": {"kind": "ngrams", **NGRAMS, "file": "x"}}, "bundle_schema"),
        ("ngrams", {"input": {"kind": "characters", "file": "characters.json"}}, "bundle_member_missing"),
        ("characters", {"input": {"kind": "ngrams", **NGRAMS}}, "bundle_graph_mismatch"),
        ("characters", {"input": {"kind": "characters", "file": "model.onnx"}}, "bundle_member_json"),
    ],
)
def test_pipelines_that_do_not_fit(tmp_path, kind, change, code):
    manifest = tiny_embedder.manifest(kind)
    manifest["pipeline"].update(change)
    write_bundle(tmp_path / "x.edge", manifest, tiny_embedder.files(kind))
    with pytest.raises(BundleError) as caught:
        edge_sdk.load(tmp_path / "x.edge")
    assert caught.value.code == code and caught.value.hint


@pytest.mark.parametrize("characters", [{"a": 1}, ["ab"], [""], [1]])
def test_a_wrong_list_of_characters(tmp_path, characters):
    members = {**tiny_embedder.files("characters"), "characters.json": json.dumps(characters).encode()}
    write_bundle(tmp_path / "x.edge", tiny_embedder.manifest("characters"), members)
    with pytest.raises(BundleError, match=r"characters\.json"):
        edge_sdk.load(tmp_path / "x.edge")


@pytest.mark.parametrize("value", [np.nan, 0.0, np.inf])
def test_vectors_without_a_direction_are_refused(tmp_path, value):
    rows = np.full_like(tiny_embedder.table("ngrams"), value)
    members = {"model.onnx": tiny_embedder.graph("ngrams", rows)}
    write_bundle(tmp_path / "x.edge", tiny_embedder.manifest("ngrams"), members)
    with edge_sdk.load(tmp_path / "x.edge") as embedder, pytest.raises(BackendError) as caught:
        embedder("lithium")
    assert caught.value.code == "backend_nan"
