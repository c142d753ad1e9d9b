"""What a model is given of a phrase, against a dictionary of its words."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge_sdk
from edge_sdk.bundle import write_bundle
from edge_sdk.errors import BundleError
from edge_sdk.kernels import PhraseScheme, phrase_ngrams
from edge_sdk.phrase import normalise_phrase
from edge_sdk.phrase_input import CharacterInput, NgramInput, known_rows
from tests.data import tiny_embedder

SCHEME = PhraseScheme(3, 4, 1, 500, 1 << 24)
WORDS = ["lithium", "ion", "battery", "a", "日本"]
PHRASES = st.lists(st.sampled_from([*WORDS, "unknown", "ions", "b"]), max_size=6).map(" ".join)


def number_of(word: str) -> int:
    """The scheme's number of a word that stands alone."""
    return int(phrase_ngrams(word, SCHEME)[-2])


KNOWN = np.array(sorted(map(number_of, WORDS)), np.int32)


@given(PHRASES)
def test_known_words_have_rows_of_their_own(phrase):
    rows = {word: 501 + KNOWN.tolist().index(number_of(word)) for word in WORDS}
    words = phrase.split()
    found = NgramInput(SCHEME, KNOWN)(phrase).tolist()
    numbers = phrase_ngrams(phrase, SCHEME).tolist()
    if not words:
        assert found == []
        return
    n_windows = len(numbers) - len(words) - 1
    assert found[:n_windows] == numbers[:n_windows]
    assert found[n_windows:-1] == [rows.get(word, 0) for word in words]
    assert found[-1] == (rows[words[-1]] + len(WORDS) if words[-1] in rows else 0)


@given(st.lists(PHRASES.filter(bool), min_size=1, max_size=5))
def test_several_phrases_at_once(phrases):
    one_by_one = [NgramInput(SCHEME, KNOWN)(phrase) for phrase in phrases]
    numbers = np.concatenate([phrase_ngrams(phrase, SCHEME) for phrase in phrases])
    heads = np.cumsum([len(row) for row in one_by_one]) - 1
    before = numbers.copy()
    found = known_rows(numbers, heads, SCHEME, KNOWN)
    assert found.dtype == np.int32
    assert found.tolist() == np.concatenate(one_by_one).tolist()
    assert np.array_equal(numbers, before)


def test_characters():
    read = CharacterInput(["a", "b", " "])
    assert read("ab c日").tolist() == [1, 2, 3, 0, 0]
    assert read("").tolist() == [] and read("").dtype == read("a").dtype == np.int32


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_a_bundle_with_known_words(tmp_path):
    """Its vectors are sums of the rows that the input names, and unknown words add nothing."""
    scheme = PhraseScheme(2, 3, 1, 500, 1 << 24)
    known = np.array(sorted(int(phrase_ngrams(word, scheme)[-2]) for word in WORDS), np.int32)
    manifest = tiny_embedder.manifest("ngrams")
    manifest["pipeline"]["input"] = {
        "kind": "ngrams", "ngram_min": 2, "ngram_max": 3, "word_max": 1,
        "ngram_buckets": 500, "word_buckets": 1 << 24, "known": "known.npy",
    }  # fmt: skip
    write_bundle(tmp_path / "x.edge", manifest, {**tiny_embedder.files("ngrams"), "known.npy": npy(known)})
    table = tiny_embedder.table("ngrams").astype(np.float64)
    with edge_sdk.load(tmp_path / "x.edge") as embedder:
        for text in ("Lithium-ion battery", "unknown words", "a", "日本 b"):
            total = table[NgramInput(scheme, known)(normalise_phrase(text))].sum(0)
            assert np.allclose(embedder(text).vector, total / np.linalg.norm(total), atol=1e-5)


@pytest.mark.parametrize(
    ("known", "changes"),
    [
        (np.array([], np.int32), {}),
        (np.array([600, 600], np.int32), {}),
        (np.array([700, 600], np.int32), {}),
        (np.array([500, 600], np.int32), {}),  # the number of a window
        (np.array([[600]], np.int32), {}),
        (np.array([600], np.int64), {}),
        (np.array([600], np.int32), {"word_max": 2}),
    ],
)
def test_wrong_lists_of_known_words(tmp_path, known, changes):
    manifest = tiny_embedder.manifest("ngrams")
    manifest["pipeline"]["input"].update({"word_max": 1, "known": "known.npy", **changes})
    write_bundle(tmp_path / "x.edge", manifest, {**tiny_embedder.files("ngrams"), "known.npy": npy(known)})
    with pytest.raises(BundleError, match=r"known\.npy") as caught:
        edge_sdk.load(tmp_path / "x.edge")
    assert caught.value.code == "bundle_schema"
