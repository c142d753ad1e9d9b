"""Start, latency, throughput and memory of a bundle, each measured in fresh processes.

A fresh process has paid for nothing yet, so that the first call and the peak memory are
true; several of them show the spread. The parent only starts them and counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from edge_sdk import catalog
from edge_sdk.bench.statistics import merge_quantiles
from edge_sdk.bundle import Bundle
from edge_sdk.errors import EdgeError, InputError
from edge_sdk.machine import condition, machine

# The import is timed before this package is there, since it imports edge_sdk itself.
_CHILD = """
import sys, time
sys.path.insert(0, sys.argv[1])
start = time.perf_counter()
import edge_sdk
import_ms = (time.perf_counter() - start) * 1e3
from edge_sdk.bench.child import measure
measure(import_ms)
"""


def bench(
    bundle: str | os.PathLike[str],
    *,
    runs: int = 5,
    backend: str = "auto",
    threads: int = 1,
    batches: Sequence[int] = (1, 8, 32),
    seconds: float = 1.0,
    inputs: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Measure a bundle in `runs` processes, one after the other.

    `inputs` are the texts to run on, by default the bundle's own examples; `batches` are the
    numbers of texts in one call of `batch` whose throughput is measured; each timed loop
    lasts about `seconds`, longer where that is too short for a percentile.

    Returns `bundle`, `version`, `engine`, `threads`, `runs`, `texts`, `file_bytes`,
    `install_mb`, then for each measurement `{"median", "min", "max", "values"}`, a value a process:
    `cold_start_ms` (start of the process to its first answer), `import_ms`, `load_ms`,
    `first_call_ms`, `p50_ms`, `p95_ms`, `p99_ms` (one call on one text), `batch_N_per_s` (texts
    a second), `steady_rss_mb` after the timed calls and `peak_rss_mb` (10^6 bytes; null where
    the system does not tell); then `latency_quantiles_ms` (101 of them, 0 to 100 %, over all
    processes), `by_length` (characters and median ms of each text), and what the numbers
    depend on: `machine`, `packages`, `kernels`, `before` and `after` (load, clock,
    temperature), `date`.
    Raises what `load` raises, InputError (`input_empty`, `input_runs`, `input_batches`,
    `input_seconds`), and EdgeError (`bench_failed`) when a process fails.
    """
    if runs < 1:
        raise InputError("input_runs", f"argument runs is {runs}, expected 1 or more", "try 5")
    if not batches or any(size < 1 for size in batches):
        raise InputError(
            "input_batches", f"argument batches is {list(batches)}", "give sizes from 1 up"
        )
    if not 0 < seconds <= 3600:
        raise InputError(
            "input_seconds", f"argument seconds is {seconds}, expected 0 to 3600", "try 1"
        )
    path = catalog.find(bundle)
    with Bundle.open(path) as opened:
        manifest, size = opened.manifest, opened.size
        texts = list(manifest.examples if inputs is None else inputs)
    if not texts:
        raise InputError("input_empty", "there is no text to run on", "give --inputs FILE")
    job = {
        "bundle": str(path),
        "backend": backend,
        "threads": threads,
        "texts": texts,
        "batches": list(batches),
        "seconds": seconds,
    }
    before = condition()
    found = [_run_child(job) for _ in range(runs)]
    after = condition()
    measures = [key for key in found[0] if key.endswith(("_ms", "_per_s", "_mb"))]
    return {
        "bundle": manifest.name,
        "version": manifest.version,
        "engine": found[0]["engine"],
        "threads": threads,
        "runs": runs,
        "texts": len(texts),
        "file_bytes": size,
        "install_mb": install_mb([*_PACKAGES, *_ENGINE_PACKAGES.get(found[0]["engine"], ())]),
        **{key: _spread([one[key] for one in found]) for key in measures},
        "latency_quantiles_ms": merge_quantiles([one["quantiles"] for one in found]),
        "by_length": by_length(texts, [one["by_text"] for one in found]),
        "machine": machine(),
        "packages": found[0]["packages"],
        "kernels": found[0]["kernels"],
        "before": before,
        "after": after,
        "date": datetime.now(timezone.utc).isoformat(timespec="minutes"),
    }


def by_length(texts: Sequence[str], of_each: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    """Characters and median time of each text that every process came to before its time was up."""
    return [
        {"characters": len(text), "ms": round(median(times), 4)}
        for text, times in zip(texts, zip(*of_each))
    ]


_PACKAGES = ("edge-sdk", "numpy", "tokenizers")
_ENGINE_PACKAGES = {"onnx": ("onnxruntime",), "litert": ("ai-edge-litert",)}


def install_mb(packages: Sequence[str]) -> dict[str, float]:
    """Size on disk of each installed package, in 10^6 bytes, without what it depends on.

    A package installed in editable mode counts only its few files outside the checkout.
    """
    sizes = {}
    for package in packages:
        try:
            files = metadata.files(package) or []
        except metadata.PackageNotFoundError:
            continue
        paths = (Path(str(file.locate())) for file in files)
        sizes[package] = round(sum(p.stat().st_size for p in paths if p.is_file()) / 1e6, 2)
    return sizes


def _spread(values: list[float | None]) -> Mapping[str, Any] | None:
    known = [round(value, 4) for value in values if value is not None]
    if not known:
        return None
    return {
        "median": round(median(known), 4),
        "min": min(known),
        "max": max(known),
        "values": known,
    }


def _run_child(job: dict[str, Any]) -> dict[str, Any]:
    root = str(Path(__file__).parent.parent.parent)
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, root],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as child:
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        print(json.dumps(job), file=child.stdin, flush=True)
        answered = child.stdout.readline()
        cold_start_ms = (time.perf_counter() - start) * 1e3
        rest, complaint = child.communicate()
    if child.returncode or not answered:
        lines = complaint.strip().splitlines() or ["no message"]
        raise EdgeError(
            "bench_failed",
            f"a measuring process ended with status {child.returncode}: {lines[-1]}",
            "run edge-sdk verify on the bundle",
        )
    return {"cold_start_ms": cold_start_ms, **json.loads(rest)}
