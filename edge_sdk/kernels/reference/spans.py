"""Labelled spans from tag sequences, repairing what the scheme forbids, and their scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.kernels.checks import MAX_SCORE, check_labels, check_span_arguments, check_tags
from edge_sdk.kernels.labels import KINDS, TagLabels


def tag_spans(tags: np.ndarray, labels: TagLabels) -> list[tuple[str, int, int]]:
    """Spans that a tag sequence marks.

    B-x opens a span and S-x is one by itself. I-x or E-x continues an open span of its type x; where there is none it
    opens one (the repair rule, as in the CoNLL evaluation). E-x closes the span after itself. A span ends before
    any tag that does not continue it; in BIOES it then counts although its E-x is missing.

    Args:
        tags: int32[n], indices into `labels`.
        labels: the tag names.

    Returns:
        (type, first token, token after the last), in order of position.

    Raises:
        KernelError: `bad_tags` (type), `bad_tag` (an index that is not in `labels`; the message names the token).
    """
    check_labels(labels)
    check_tags(tags, len(labels))
    outside, begin, inside, end, single = range(len(KINDS))
    spans: list[tuple[str, int, int]] = []
    opened, opened_type = -1, -1  # opened < 0: no span is open

    def close(position: int) -> None:
        nonlocal opened
        if opened >= 0:
            spans.append((labels.type_names[opened_type], opened, position))
        opened = -1

    for position, tag in enumerate(tags):
        kind, type_ = labels.kinds[tag], labels.types[tag]
        continues = kind in (inside, end) and opened >= 0 and type_ == opened_type
        if not continues:
            close(position)
            if kind != outside:
                opened, opened_type = position, type_
        if kind in (end, single):
            close(position + 1)
    close(len(tags))
    return spans


def span_scores(emissions: np.ndarray, tags: np.ndarray, spans: Sequence[tuple[str, int, int]]) -> list[float]:
    """Each span's confidence: the mean, over its tokens, of the softmax probability of the token's tag
    (0 in a row of only minus infinities).

    Args:
        emissions: float32[n, T], the scores that the tags were decoded from.
        tags: int32[n].
        spans: what `tag_spans` gave.

    Returns:
        Numbers from 0 to 1, one a span. The faces agree to 1e-6.

    Raises:
        KernelError: `bad_scores`, `not_a_number`, `bad_tags`, `bad_tag`, `bad_span` (empty or outside the tokens).
    """
    check_span_arguments(emissions, tags, spans)
    scores = []
    for _, first, last in spans:
        rows = emissions[first:last].astype(np.float64)
        highest = np.maximum(rows.max(axis=1, keepdims=True), -MAX_SCORE)  # a row of minus infinities has none
        weights = np.exp(rows - highest)
        chosen = weights[np.arange(last - first), tags[first:last]]
        scores.append(float((chosen / np.maximum(weights.sum(axis=1), np.finfo(np.float64).tiny)).mean()))
    return scores
