"""Metrics of phrase embeddings: does the cosine of two phrases go with what people say of them?"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_sdk.evaluate.data import invalid, read_tsv

if TYPE_CHECKING:
    from edge_sdk.tasks.embedder import Embedder

COLUMNS = ("anchor", "target", "score")


def evaluate(embedder: Embedder, path: Path) -> dict[str, float]:
    """`correlations` of a file with the columns anchor, target and score; others are ignored."""
    pairs = read_pairs(path)
    texts = list(dict.fromkeys(text for anchor, target, _ in pairs for text in (anchor, target)))
    vectors = dict(zip(texts, embedder.vectors(texts).astype(np.float64)))
    cosines = [float(vectors[anchor] @ vectors[target]) for anchor, target, _ in pairs]
    return correlations(np.array(cosines), np.array([score for _, _, score in pairs]))


def read_pairs(path: Path) -> list[tuple[str, str, float]]:
    """(anchor, target, score) of each row. Raises InputError: `data_unreadable`, `data_invalid`."""
    pairs = []
    for where, fields in read_tsv(path):
        if missing := [name for name in COLUMNS if name not in fields]:
            raise invalid(where, f"no column {', '.join(missing)}, found {', '.join(fields)}")
        anchor, target, written = (fields[name] for name in COLUMNS)
        try:
            score = float(written)
        except ValueError:
            score = math.nan
        if not math.isfinite(score):
            raise invalid(where, f"the score {written!r:.40} is no number")
        pairs.append((anchor, target, score))
    if len(pairs) < 2:
        raise invalid(str(path), f"{len(pairs)} rows, a correlation needs two")
    return pairs


def correlations(found: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """Pearson's and Spearman's correlation in percent, of float64 [n] each; 0 where one is constant.

    Spearman's is Pearson's of the ranks; equal values share the mean of their ranks.
    """
    return {
        "pearson": 100.0 * _pearson(found, expected),
        "spearman": 100.0 * _pearson(_ranks(found), _ranks(expected)),
        "rows": len(found),
    }


def _pearson(left: np.ndarray, right: np.ndarray) -> float:
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return 0.0
    left, right = left - left.mean(), right - right.mean()
    return float(left @ right) / math.sqrt(float(left @ left) * float(right @ right))


def _ranks(values: np.ndarray) -> np.ndarray:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mean_ranks: np.ndarray = (ends - (counts - 1) / 2)[places.reshape(-1)]
    return mean_ranks
