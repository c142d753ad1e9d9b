"""Decoding of one Chinese news sentence (the median length) from Python: matches, best path, and the four modes."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import lexicon
import numpy as np
from harness import main

Prepared = Callable[[], object]


def sentence() -> str:
    """The sentence of median length."""
    return sorted(lexicon.news().split("\n"), key=len)[lexicon.news().count("\n") // 2]


def words_of(text: str) -> tuple[np.ndarray, np.ndarray]:
    """A stand-in for the model's words: two characters each."""
    starts = np.arange(0, len(text), 2, dtype=np.int32)
    return starts, np.minimum(starts + 2, len(text)).astype(np.int32)


def best_path(module: str) -> Callable[[], Prepared]:
    def prepare() -> Prepared:
        from edge_sdk.kernels.native._trie import Trie

        lattice = importlib.import_module(f"edge_sdk.kernels.{module}")
        text = sentence()
        found = Trie.open(lexicon.our_file().read_bytes()).matches(text)
        single = np.arange(len(text), dtype=np.int32)
        starts, ends = np.concatenate([single, found.starts]), np.concatenate([single + 1, found.ends])
        scores = np.random.default_rng(0).normal(size=len(starts)).astype(np.float32)
        return lambda: lattice.best_path(len(text), starts, ends, scores)

    return prepare


def whole(mode: str) -> Callable[[], Prepared]:
    """Trie, lattice and Viterbi: all that follows the model."""

    def prepare() -> Prepared:
        from edge_sdk.kernels.native._lattice import segment
        from edge_sdk.kernels.native._trie import Trie

        text = sentence()
        trie = Trie.open(lexicon.our_file().read_bytes())
        words = words_of(text)

        def call() -> object:
            found = trie.matches(text)
            return segment(mode, len(text), *words, found.starts, found.ends)

        return call

    return prepare


if __name__ == "__main__":
    lexicon.our_file()
    main(
        "lattice",
        {
            "best path, native": best_path("native._lattice"),
            "best path, numba": best_path("numba.lattice"),
            "best path, reference": best_path("reference.lattice"),
            "matches and segment: fine": whole("fine"),
            "matches and segment: coarse": whole("coarse"),
            "matches and segment: index": whole("index"),
        },
        ("numba",),
    )
