"""Metrics of a task on a labelled file: one module a task. Rates are in percent, 0 to 100."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import InputError

if TYPE_CHECKING:
    from edge_sdk.tasks.base import Task

METRICS = {
    "tagger": "edge_sdk.evaluate.tagger",
    "segmenter": "edge_sdk.evaluate.segmenter",
    "translator": "edge_sdk.evaluate.translator",
    "embedder": "edge_sdk.evaluate.embedder",
    "retriever": "edge_sdk.evaluate.retriever",
}
"""The module of each task's metrics; its `evaluate(task, path)` returns them by name."""


def evaluate(task: Task[Any], path: str | os.PathLike[str]) -> dict[str, float]:
    """Score a task on a labelled file, plain or gzipped.

    Returns the metrics of the task by name, and `rows`, how many lines were scored.
    Raises InputError: `eval_task` for a task without metrics, `data_unreadable`, or
    `data_invalid` naming the file and the line.
    """
    if task.task not in METRICS:
        raise InputError(
            "eval_task",
            f"there are no metrics for the task {task.task!r}",
            f"evaluate one of: {', '.join(METRICS)}",
        )
    metrics: dict[str, float] = import_module(METRICS[task.task]).evaluate(task, Path(path))
    return metrics
