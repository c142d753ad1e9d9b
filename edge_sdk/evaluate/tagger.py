"""Metrics of intents and slots, and the labelled files that they are computed on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_sdk.evaluate.data import invalid, read_tsv

if TYPE_CHECKING:
    from edge_sdk.tasks.tagger import Tagger


@dataclass(frozen=True)
class TaggedRow:
    """One labelled utterance: as many tags ("O", "B-x", "I-x") as tokens."""

    tokens: list[str]
    tags: list[str]
    intent: str


def evaluate(tagger: Tagger, path: Path) -> dict[str, float]:
    """`tagger_metrics` of a file, on the tokens that it gives.

    An utterance longer than the model takes counts as wrong in every metric.
    """
    rows = read_tagged_rows(path)
    fitting = [row for row in rows if len(row.tokens) <= tagger.max_tokens]
    predictions = iter(tagger.predict_tokens_batch([row.tokens for row in fitting]))
    return tagger_metrics(
        rows,
        [
            next(predictions) if len(row.tokens) <= tagger.max_tokens else ("", [])
            for row in rows
        ],
    )


def tagger_metrics(
    gold: Sequence[TaggedRow], predicted: Sequence[tuple[str, Sequence[str]]]
) -> dict[str, float]:
    """Metrics of predicted (intent, tags) pairs, one a gold row, in percent.

    exact_match: rows with every tag right (the "exact match" of the pNLP-Mixer paper);
    intent_accuracy: rows with the right intent; frame_accuracy: rows with both;
    slot_f1: micro-averaged F1 of labelled spans, as the CoNLL-2000 evaluation counts them.
    """
    tags_right = [list(tags) == row.tags for row, (_, tags) in zip(gold, predicted, strict=True)]
    intent_right = [intent == row.intent for row, (intent, _) in zip(gold, predicted, strict=True)]
    found = _spans(tags for _, tags in predicted)
    expected = _spans(row.tags for row in gold)
    hits = sum(len(ours & theirs) for ours, theirs in zip(found, expected, strict=True))
    spans = sum(map(len, found)) + sum(map(len, expected))
    both = [a and b for a, b in zip(tags_right, intent_right, strict=True)]
    percent = 100.0 / len(gold)
    return {
        "exact_match": percent * sum(tags_right),
        "intent_accuracy": percent * sum(intent_right),
        "frame_accuracy": percent * sum(both),
        # Where neither side has a span, all (none) of them are right.
        "slot_f1": 200.0 * hits / spans if spans else 100.0,
        "rows": len(gold),
    }


def _spans(tag_lists: Iterable[Sequence[str]]) -> list[set[tuple[str, int, int]]]:
    """(label, first token, token after the last) of each list of tags."""
    from edge_sdk.kernels import tag_spans
    from edge_sdk.kernels.labels import TagLabels

    lists = list(tag_lists)
    numbers = {tag: i for i, tag in enumerate(sorted({tag for tags in lists for tag in tags}))}
    labels = TagLabels(list(numbers))
    return [
        set(tag_spans(np.array([numbers[tag] for tag in tags], np.int32), labels)) for tags in lists
    ]


def read_tagged_rows(path: Path) -> list[TaggedRow]:
    """A tagger's labelled file: columns `tokens`, `slot_tags`, `intent` (MTOP) or `utterance`,
    `slot_labels`, `intent` (SNIPS), others ignored; tokens and tags are separated by one space.
    """
    rows = []
    for where, fields in read_tsv(path):
        columns = ("tokens", "slot_tags", "intent")
        if "tokens" not in fields:
            columns = ("utterance", "slot_labels", "intent")
        if missing := [name for name in columns if name not in fields]:
            raise invalid(where, f"no column {', '.join(missing)}, found {', '.join(fields)}")
        tokens, tags, intent = (fields[name] for name in columns)
        row = TaggedRow(tokens.split(" "), tags.split(" "), intent)
        if len(row.tokens) != len(row.tags):
            raise invalid(where, f"{len(row.tokens)} tokens and {len(row.tags)} tags")
        if "" in row.tokens:
            raise invalid(where, "an empty token: two spaces, or one at the end")
        for tag in row.tags:
            if tag != "O" and not (tag[:2] in ("B-", "I-") and tag[2:]):
                raise invalid(where, f"the tag {tag!r:.60} is none of O, B-x, I-x")
        rows.append(row)
    if not rows:
        raise invalid(str(path), "no rows")
    return rows
