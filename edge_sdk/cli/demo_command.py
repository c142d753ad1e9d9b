"""`edge-sdk demo`: every bundle of the zoo on its own examples."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from edge_sdk import catalog
from edge_sdk.cli.arguments import Parser
from edge_sdk.cli.output import emit
from edge_sdk.errors import BundleError
from edge_sdk.loading import load
from edge_sdk.tasks.base import Task

REPEATS = 25  # enough for a steady median, and the demo still answers at once


def execute(argv: list[str]) -> None:
    """Print one result for each example of each bundle."""
    options = Parser("demo").parse_args(argv)
    paths = catalog.bundles()
    if not paths:
        raise BundleError(
            "zoo_empty", f"no .edge file in {catalog.folder()}", "set EDGE_SDK_ZOO to a folder of bundles"
        )
    for path in paths:
        with load(path) as task:
            for text in task.bundle.manifest.examples:
                result = task.example(text)
                head = {"bundle": task.bundle.manifest.name, "task": task.task}
                emit({**head, **result, "latency_ms": _latency(task, text)}, options.json)


def _latency(task: Task[Any], text: str) -> float:
    """Median time of a repeated call, in milliseconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        task(text)
        times.append(time.perf_counter() - start)
    return round(median(times) * 1e3, 4)
