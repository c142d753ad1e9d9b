"""Projection of an 8-word utterance, 256 hashes into 512 features, from subword units; datasketch is the peer."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np

from harness import main

from edge_sdk.kernels.scheme import HashScheme

TOKENS = [["wake"], ["me"], ["up"], ["at"], ["seven"], ["tomor", "##row"], ["morn", "##ing"], ["please"]]
TRIGRAMS = HashScheme()
TWO_TO_FOUR = HashScheme(ngram_min=2, ngram_max=4)


def projection(module: str, scheme: HashScheme) -> Callable[[], Callable[[], object]]:
    def prepare() -> Callable[[], object]:
        project = importlib.import_module(f"edge_sdk.kernels.{module}").project
        out = np.zeros((len(TOKENS), 512), np.uint8)
        return lambda: project(TOKENS, scheme, 512, out)

    return prepare


def datasketch() -> Callable[[], object]:
    """The fingerprints only, of the same trigrams, without the features."""
    from datasketch import MinHash

    from edge_sdk.kernels.reference.fingerprint import pieces

    def call() -> None:
        for token in TOKENS:
            fingerprint = MinHash(num_perm=256)
            fingerprint.update_batch([piece.encode() for piece in pieces(token, TRIGRAMS)])

    return call


if __name__ == "__main__":
    main(
        "fingerprint",
        {
            "native, trigrams": projection("native._fingerprint", TRIGRAMS),
            "native, 2 to 4 characters": projection("native._fingerprint", TWO_TO_FOUR),
            "numba, trigrams": projection("numba.fingerprint", TRIGRAMS),
            "reference, trigrams": projection("reference.fingerprint", TRIGRAMS),
            "datasketch, trigrams, fingerprints only": datasketch,
        },
        ("numba", "datasketch"),
    )
