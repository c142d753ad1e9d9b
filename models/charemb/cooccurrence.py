"""Phrase vectors by counting: positive pointwise mutual information, factorised.

The explicit form of what word2vec factorises implicitly (Levy and Goldberg, 2014), with its tricks
(Levy, Goldberg and Dagan, 2015): frequent context words are subsampled, nearer ones weigh more,
and context probabilities are smoothed by a power of 0.75. Two things word2vec cannot do: a phrase
of any length has a row of its own although its words keep all their occurrences, and a new phrase
gets a vector by one product with the contexts' basis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge_sdk.errors import EdgeError
from models.charemb.corpus import BREAKS, DOCUMENT, PAUSE, SENTENCE, Corpus
from models.charemb.spans import Spans


@dataclass(frozen=True)
class CountConfig:
    """How contexts are counted and factorised. Chosen on Patent Phrase's validation pairs."""

    window: int = 8
    """Context words on each side, within the sentence, counted after subsampling."""
    contexts: int = 16384
    """The most frequent words, which are counted as contexts."""
    basis: int = 100_000
    """The most frequent phrases, whose rows are factorised; the others are projected."""
    dimension: int = 200
    subsample: float = 1e-4
    smoothing: float = 0.75
    power: float = 0.5
    """Of the singular values in the result: U S^power."""
    seed: int = 1


def count_vectors(corpus: Corpus, spans: Spans, config: CountConfig) -> np.ndarray:
    """A vector for each phrase: float32 [phrases, dimension], not normalised.

    Raises EdgeError `dependency_missing` without numba.
    """
    try:
        from models.charemb.counting import count_rows
    except ImportError as error:
        raise EdgeError(
            "dependency_missing", f"counting contexts needs numba: {error}", "pip install 'edge-sdk[train]'"
        ) from None
    draw = np.random.default_rng(config.seed)
    tokens, logq = _contexts(corpus, config, draw)
    fixed = (spans.starts, spans.ends, spans.words, tokens, logq, config.window)
    order = np.argsort(-spans.counts, kind="stable")[: config.basis].astype(np.int64)
    rows = _Rows(*count_rows(order, *fixed), len(logq))
    basis, singular = _factorise(rows, config, draw)
    vectors = np.zeros((len(spans.texts), config.dimension), np.float32)
    scale = singular ** (config.power - 1)  # rows @ basis = U S
    for first in range(0, len(vectors), config.basis):
        part = np.arange(first, min(first + config.basis, len(vectors)))
        vectors[part] = _Rows(*count_rows(part, *fixed), len(logq)).times(basis * scale)
    return vectors


def _contexts(
    corpus: Corpus, config: CountConfig, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens as contexts, int32 [tokens]: the rank of the word by frequency; -1 for what ends a
    window; -2 for what it skips. And the log of each context's smoothed probability."""
    counts = corpus.counts()
    counts[: len(BREAKS)] = 0
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    kept_share = np.minimum(1, np.sqrt(config.subsample * counts.sum() / np.maximum(counts, 1)))
    ids = np.asarray(corpus.ids)
    kept = draw.random(len(ids), dtype=np.float32) < kept_share.astype(np.float32)[ids]
    tokens = np.where(kept, rank[ids], np.int32(-2))
    tokens[(ids == DOCUMENT) | (ids == SENTENCE)] = -1
    tokens[ids == PAUSE] = -2
    size = min(config.contexts, int((counts > 0).sum()))
    q = (counts * kept_share)[order[:size]] ** config.smoothing
    return tokens, np.log(q / q.sum()).astype(np.float32)


@dataclass(frozen=True)
class _Rows:
    """A sparse matrix by rows: products with few columns run at memory speed."""

    columns: np.ndarray
    values: np.ndarray
    ends: np.ndarray
    width: int

    def times(self, right: np.ndarray) -> np.ndarray:
        """float32 [rows, k] for right [width, k]."""
        from models.charemb.counting import times

        out = np.zeros((len(self.ends), right.shape[1]), np.float32)
        times(self.columns, self.values, self.ends, np.ascontiguousarray(right, np.float32), out)
        return out

    def transposed_times(self, left: np.ndarray) -> np.ndarray:
        """float32 [width, k] for left [rows, k]."""
        from models.charemb.counting import transposed_times

        out = np.zeros((self.width, left.shape[1]), np.float32)
        transposed_times(self.columns, self.values, self.ends, np.ascontiguousarray(left, np.float32), out)
        return out


def _factorise(
    rows: _Rows, config: CountConfig, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Right singular vectors [contexts, dimension] and singular values: randomised range finder
    with two power iterations (Halko, Martinsson and Tropp, 2011, algorithm 4.4)."""
    if config.dimension > min(rows.width, len(rows.ends)):
        raise EdgeError(
            "corpus_too_small",
            f"{len(rows.ends)} phrases in {rows.width} contexts have no {config.dimension} dimensions",
            "give more text, a lower min_count or a smaller dimension",
        )
    k = min(config.dimension + 20, rows.width, len(rows.ends))
    q = draw.standard_normal((rows.width, k)).astype(np.float32)
    for _ in range(2):
        y = np.linalg.qr(rows.times(q))[0]
        q = np.linalg.qr(rows.transposed_times(y))[0]
    y = np.linalg.qr(rows.times(q))[0]
    u, singular, _ = np.linalg.svd(rows.transposed_times(y), full_matrices=False)
    return u[:, : config.dimension], singular[: config.dimension]
