"""Metrics of word segmentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.evaluate.data import invalid, read_text

if TYPE_CHECKING:
    from edge_sdk.tasks.segmenter import Segmenter


def evaluate(segmenter: Segmenter, path: Path) -> dict[str, float]:
    """`segmentation_metrics` of a file with one sentence a line, words separated by spaces."""
    gold = [line.split() for line in read_text(path).splitlines() if line.strip()]
    if not gold:
        raise invalid(str(path), "no rows")
    results = segmenter.batch(["".join(words) for words in gold])
    return segmentation_metrics(gold, [zip(result.starts, result.ends) for result in results])


def segmentation_metrics(
    gold: Sequence[Sequence[str]], predicted: Iterable[Iterable[tuple[int, int]]]
) -> dict[str, float]:
    """Precision, recall and F1 of words, in percent, as the SIGHAN bake-off counts them.

    `gold` holds the words of each sentence, `predicted` (start, end) of each word found in the
    joined words. A word is right if it begins and ends where a gold word does.
    """
    found, expected = [set(places) for places in predicted], [_places(words) for words in gold]
    hits = sum(len(ours & theirs) for ours, theirs in zip(found, expected, strict=True))
    n_found, n_expected = (sum(map(len, side)) for side in (found, expected))
    return {
        "precision": 100.0 * hits / n_found if n_found else 0.0,
        "recall": 100.0 * hits / n_expected,
        "f1": 200.0 * hits / (n_found + n_expected),
        "rows": len(gold),
    }


def _places(words: Sequence[str]) -> set[tuple[int, int]]:
    """(start, end) of consecutive words."""
    ends = list(accumulate(map(len, words), initial=0))
    return set(zip(ends, ends[1:]))
