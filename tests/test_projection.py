"""Features of words, and the cache that models share."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.kernels import HashScheme
from edge_sdk.kernels.reference import fingerprint as reference
from edge_sdk.projection import CACHED_LENGTH, CACHED_WORDS, FeatureCache, Projection
from edge_sdk.text import normalise_word
from edge_sdk.tokenizer import SubwordTokenizer, wordpiece_json

UNITS = ["[UNK]", "a", "b", "c", "ab", "##a", "##b", "##c", "##ca", "é", "##é"]
DATA = wordpiece_json({unit: i for i, unit in enumerate(UNITS)})
SCHEME = HashScheme(seed=3, n_hashes=24, ngram_min=2, ngram_max=3)
WORDS = st.lists(st.text(min_size=1).map(normalise_word))


def projection(**changes: object) -> Projection:
    arguments = {"scheme": SCHEME, "n_features": 32, "fold_case": False, **changes}
    return Projection(SubwordTokenizer(DATA), **arguments)


@given(WORDS)
def test_features_are_those_of_the_paper(words: list[str]) -> None:
    units = SubwordTokenizer(DATA).units(words)
    expected = reference.bloom_counts(reference.fingerprints(units, SCHEME), 32)
    found = projection()(words)
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)
    assert (found.sum(axis=1) == SCHEME.n_hashes).all()  # so no row looks like padding


@given(WORDS)
def test_what_was_asked_before_changes_nothing(words: list[str]) -> None:
    warm = projection()
    warm(words[::-1])
    warm(words[::2])
    cold = np.concatenate([np.zeros((0, 32), np.uint8), *(projection()([word]) for word in words)])
    assert np.array_equal(warm(words), cold)


def test_folding_joins_the_features_of_a_word_but_for_its_case() -> None:
    same, folded = projection()(["ABCABC", "abcabc"]), projection(fold_case=True)(["ABCABC", "abcabc"])
    assert (same[0] != same[1]).any()
    common = np.minimum(*folded).sum()
    assert np.minimum(*same).sum() < common < SCHEME.n_hashes


def test_eviction_keeps_results_right() -> None:
    words = [f"word{i}" for i in range(2 * CACHED_WORDS)]
    project = projection()
    first = project(words).copy()
    assert len(project.cache) <= CACHED_WORDS
    order = np.random.default_rng(0).permutation(len(words))
    assert np.array_equal(project([words[i] for i in order]), first[order])


def test_words_in_use_stay_cached() -> None:
    cache = FeatureCache(capacity=8)
    for i in range(100):
        cache.keep({"often": b"1"})
        cache.keep({f"once{i}": b"2"})
        assert cache.get("often") == b"1"
        assert len(cache) <= 8


def test_long_words_are_not_cached() -> None:
    project = projection()
    project(["a" * CACHED_LENGTH, "b" * (CACHED_LENGTH + 1)])
    assert len(project.cache) == 1


def test_equal_projections_share_a_cache_and_free_it() -> None:
    first, second = projection(), projection()
    assert first.cache is second.cache
    first(["abc"])
    assert len(second.cache) == 1
    del first, second
    gc.collect()
    assert len(projection().cache) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"n_features": 33},
        {"fold_case": True},
        {"scheme": HashScheme(seed=4, n_hashes=24, ngram_min=2, ngram_max=3)},
        {"scheme": HashScheme(seed=3, n_hashes=24, ngram_min=2, ngram_max=3, boundaries=True)},
    ],
)
def test_projections_that_differ_share_nothing(change: dict[str, object]) -> None:
    plain, other = projection(), projection(**change)
    assert plain.cache is not other.cache
    plain(["abc"])
    assert len(other.cache) == 0


def test_threads_see_the_same_features() -> None:
    words = [f"w{i}" for i in range(3 * CACHED_WORDS)]
    expected = projection()(words).copy()
    project, wrong = projection(), []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(200):
            places = rng.integers(0, len(words), 50)
            if not np.array_equal(project([words[i] for i in places]), expected[places]):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
