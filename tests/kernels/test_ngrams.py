"""Numbers of phrases: by hand from published hashes, against plain integers, and the faces bit for bit."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

import numpy as np
import pytest
from faces import outcome
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.errors import KernelError
from edge_sdk.kernels import PhraseScheme

reference = importlib.import_module("edge_sdk.kernels.reference.ngrams")

SCHEMES = st.builds(
    lambda low, more, words, buckets: PhraseScheme(low, min(low + more, 16), words, *buckets),
    st.integers(1, 16), st.integers(0, 4), st.integers(0, 8),
    st.sampled_from([(1, 1), (1000, 77), (1 << 24, 1 << 24)]),
)  # fmt: skip
TEXTS = st.text(st.sampled_from("ab z\u00e9\u65e5\U0001f600\ud800"), max_size=30)


def fnv1a(units: Iterable[int]) -> int:
    h = 0x811C9DC5
    for unit in units:
        h = ((h ^ unit) * 0x01000193) % 2**32
    return h


def fmix32(h: int) -> int:
    h = ((h ^ h >> 16) * 0x85EBCA6B) % 2**32
    h = ((h ^ h >> 13) * 0xC2B2AE35) % 2**32
    return h ^ h >> 16


def test_the_oracle_has_the_published_hashes():
    """Test vectors of the FNV draft; MurmurHash3_x86_32 of no bytes with seed 1, which is fmix32(1)."""
    assert [fnv1a(text) for text in (b"", b"a", b"foobar")] == [0x811C9DC5, 0xE40C292C, 0xBF9CF968]
    assert (fmix32(0), fmix32(1)) == (0, 0x514E28B7)


def expected(text: str, scheme: PhraseScheme) -> list[int]:
    """The definition, with Python's integers."""

    def number(part: str, group: int, first: int, buckets: int) -> int:
        return first + (fmix32(fnv1a([group, *map(ord, part)])) * buckets >> 32)

    if not text.strip(" "):
        return []
    padded = f" {text} "
    words = [i for i in range(1, len(padded)) if padded[i] != " " == padded[i - 1]]
    ends = [i for i in range(1, len(padded)) if padded[i] == " " != padded[i - 1]]
    found = []
    ended = f" {text}\x03"
    for n in range(scheme.ngram_min, scheme.ngram_max + 1):
        for i in range(len(ended) - n + 1):
            found.append(number(ended[i : i + n], n, 1, scheme.ngram_buckets))
    for k in range(1, scheme.word_max + 1):
        for start, end in zip(words, ends[k - 1 :]):
            found.append(number(padded[start - 1 : end + 1], 64 + k, 1 + scheme.ngram_buckets, scheme.word_buckets))
    if scheme.word_max:
        last = text.strip(" ").split(" ")[-1]
        found.append(number(f" {last} ", 64, 1 + scheme.ngram_buckets, scheme.word_buckets))
    return found


@given(texts=st.lists(TEXTS, max_size=6), scheme=SCHEMES)
def test_equals_the_definition(face, texts, scheme):
    one_by_one = [expected(text, scheme) for text in texts]
    for text, numbers in zip(texts, one_by_one):
        found = face("ngrams").phrase_ngrams(text, scheme)
        assert found.dtype == np.int32
        assert found.tolist() == numbers
    flat, ends = face("ngrams").phrase_ngrams_many(texts, scheme)
    assert (flat.dtype, ends.dtype) == (np.int32, np.int64)
    assert flat.tolist() == sum(one_by_one, [])
    assert ends.tolist() == np.cumsum([len(numbers) for numbers in one_by_one]).tolist()


def test_numbers_that_models_were_trained_with(face):
    """A change of these spoils every bundle."""
    found = face("ngrams").phrase_ngrams("ion", PhraseScheme(3, 4, 1, 1000, 100))
    assert found.tolist() == [915, 77, 554, 850, 136, 1044, 1009]


def test_all_numbers_are_within_their_buckets(face):
    text = " ".join(f"word{i} {i * i:x}" for i in range(2000))
    scheme = PhraseScheme(2, 3, 2, 50, 7)
    numbers = face("ngrams").phrase_ngrams(text, scheme)
    n_windows = 2 * (len(text) + 2) - 3
    assert set(numbers[:n_windows].tolist()) == set(range(1, 51))
    assert set(numbers[n_windows:].tolist()) == set(range(51, 58))
    assert len(numbers) - n_windows == 4000 + 3999 + 1


@pytest.mark.parametrize(
    "call",
    [
        lambda module: module.phrase_ngrams(b"bytes", PhraseScheme()),
        lambda module: module.phrase_ngrams(None, PhraseScheme()),
        lambda module: module.phrase_ngrams("text", None),
        lambda module: module.phrase_ngrams_many("text", PhraseScheme()),
        lambda module: module.phrase_ngrams_many(["text", 3], PhraseScheme()),
        lambda module: module.phrase_ngrams_many(3, PhraseScheme()),
    ],
)
def test_errors_are_the_same_in_every_face(face, call):
    result = outcome(call, face("ngrams"))
    assert result[0] in ("bad_text", "bad_scheme")
    assert result == outcome(call, reference)


@pytest.mark.parametrize(
    "arguments", [(0, 3), (4, 3), (3, 17), (3, 3, 9), (3, 3, -1), (3, 3, 1, 0), (3, 3, 1, 5, 2**24 + 1), (1.0, 3)]
)
def test_a_wrong_scheme(arguments):
    with pytest.raises(KernelError) as caught:
        PhraseScheme(*arguments)
    assert caught.value.code == "bad_scheme"
