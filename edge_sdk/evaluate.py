"""Metrics of a task on a labelled file: one function a task. Rates are in percent, 0 to 100."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_sdk.errors import InputError

if TYPE_CHECKING:
    from edge_sdk.tasks.base import Task
    from edge_sdk.tasks.segmenter import Segmenter
    from edge_sdk.tasks.tagger import Tagger

def evaluate(task: Task[Any], path: str | os.PathLike[str]) -> dict[str, float]:
    """Score a task on a labelled file, plain or gzipped.

    Returns the metrics of the task by name, and `rows`, how many lines were scored.
    Raises InputError: `eval_task` for a task without metrics, `data_unreadable`, or
    `data_invalid` naming the file and the line.
    """
    if task.task not in _METRICS:
        raise InputError(
            "eval_task",
            f"there are no metrics for the task {task.task!r}",
            f"evaluate one of: {', '.join(_METRICS)}",
        )
    return _METRICS[task.task](task, Path(path))


@dataclass(frozen=True)
class TaggedRow:
    """One labelled utterance: as many tags ("O", "B-x", "I-x") as tokens."""

    tokens: list[str]
    tags: list[str]
    intent: str


def evaluate_tagger(tagger: Tagger, path: Path) -> dict[str, float]:
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
            raise _invalid(where, f"no column {', '.join(missing)}, found {', '.join(fields)}")
        tokens, tags, intent = (fields[name] for name in columns)
        row = TaggedRow(tokens.split(" "), tags.split(" "), intent)
        if len(row.tokens) != len(row.tags):
            raise _invalid(where, f"{len(row.tokens)} tokens and {len(row.tags)} tags")
        if "" in row.tokens:
            raise _invalid(where, "an empty token: two spaces, or one at the end")
        for tag in row.tags:
            if tag != "O" and not (tag[:2] in ("B-", "I-") and tag[2:]):
                raise _invalid(where, f"the tag {tag!r:.60} is none of O, B-x, I-x")
        rows.append(row)
    if not rows:
        raise _invalid(str(path), "no rows")
    return rows


def read_tsv(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Lines of a TSV file with a header line and no quoting: (file and line, value by column).

    UTF-8, gzipped or plain. Raises InputError: `data_unreadable`, `data_invalid`.
    """
    reader = csv.reader(
        io.StringIO(_read(path), newline=""), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    try:
        header = next(reader, [])
        for fields in reader:
            where = f"{path}:{reader.line_num}"
            if fields and len(fields) != len(header):
                raise _invalid(where, f"{len(fields)} fields, the header has {len(header)}")
            if fields:
                yield where, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise _invalid(f"{path}:{reader.line_num}", str(error)) from error


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(
            "data_unreadable", f"cannot read {path}: {error}", "check the path and the file"
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _invalid(f"{path}:{line}", f"not UTF-8: {error}") from error


def _invalid(where: str, problem: str) -> InputError:
    return InputError(
        "data_invalid", f"{where}: {problem}", "see the documentation of edge-sdk eval for the columns"
    )


def evaluate_segmenter(segmenter: Segmenter, path: Path) -> dict[str, float]:
    """`segmentation_metrics` of a file with one sentence a line, words separated by spaces."""
    gold = [line.split() for line in _read(path).splitlines() if line.strip()]
    if not gold:
        raise _invalid(str(path), "no rows")
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


_METRICS: Mapping[str, Callable[[Any, Path], dict[str, float]]] = {
    "tagger": evaluate_tagger,
    "segmenter": evaluate_segmenter,
}
