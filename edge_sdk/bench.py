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
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from edge_sdk import catalog
from edge_sdk.bundle import Bundle
from edge_sdk.errors import EdgeError, InputError

MIN_CALLS = 200
MAX_CALLS = 5000
SECONDS = 1.0  # about as long as each of the timed loops of a process takes
BATCH = 32

# The import is timed before this module is there, since this module imports the package.
_CHILD = """
import sys, time
sys.path.insert(0, sys.argv[1])
start = time.perf_counter()
import edge_sdk
import_ms = (time.perf_counter() - start) * 1e3
from edge_sdk.bench import measure
measure(import_ms)
"""


def bench(
    bundle: str | os.PathLike[str],
    *,
    runs: int = 5,
    backend: str = "auto",
    threads: int = 1,
    inputs: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Measure a bundle in `runs` processes, one after the other.

    `inputs` are the texts to run on, by default the bundle's own examples.
    Returns the keys `bundle`, `engine`, `threads`, `runs`, `texts`, `batch_size`,
    `file_bytes`, and for each measurement `{"median", "min", "max"}` over the processes:
    `cold_start_ms` (start of the process to its first answer), `import_ms`, `load_ms`,
    `first_call_ms`, `p50_ms`, `p95_ms`, `p99_ms` (one call on one text), `single_per_s` and
    `batched_per_s` (texts a second, one by one and in batches), `peak_rss_mb` (10^6 bytes;
    null where the system does not tell).
    Raises what `load` raises, InputError (`input_empty`, `input_runs`), and EdgeError
    (`bench_failed`) when a process fails.
    """
    if runs < 1:
        raise InputError("input_runs", f"argument runs is {runs}, expected 1 or more", "try 5")
    path = catalog.find(bundle)
    with Bundle.open(path) as opened:
        name, size = opened.manifest.name, opened.size
        texts = list(opened.manifest.examples if inputs is None else inputs)
    if not texts:
        raise InputError("input_empty", "there is no text to run on", "give --inputs FILE")
    job = {"bundle": str(path), "backend": backend, "threads": threads, "texts": texts}
    found = [_run_child(job) for _ in range(runs)]
    spread = {
        key: _spread([one[key] for one in found]) for key in found[0] if key.endswith(_MEASURES)
    }
    return {
        "bundle": name,
        "engine": found[0]["engine"],
        "threads": threads,
        "runs": runs,
        "texts": len(texts),
        "batch_size": BATCH,
        "file_bytes": size,
        **spread,
    }


_MEASURES = ("_ms", "_per_s", "_mb")


def _spread(values: list[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {
        "median": round(median(known), 4),
        "min": round(min(known), 4),
        "max": round(max(known), 4),
    }


def _run_child(job: dict[str, Any]) -> dict[str, Any]:
    root = str(Path(__file__).parent.parent)
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


def measure(import_ms: float) -> None:
    """The measuring process: reads its job from stdin, tells on stdout when it first answers."""
    from edge_sdk.loading import load

    job = json.loads(sys.stdin.readline())
    texts = job["texts"]
    start = time.perf_counter()
    task = load(job["bundle"], backend=job["backend"], threads=job["threads"])
    loaded = time.perf_counter()
    task(texts[0])
    first = time.perf_counter()
    print("answered", flush=True)
    single = _timed(task, texts)
    batches = [list(islice(cycle(texts), BATCH))]
    batched = _timed(task.batch, batches)
    result = {
        "engine": task.engine,
        "import_ms": import_ms,
        "load_ms": (loaded - start) * 1e3,
        "first_call_ms": (first - loaded) * 1e3,
        **{f"p{p}_ms": percentile(single, p) * 1e3 for p in (50, 95, 99)},
        "single_per_s": len(single) / sum(single),
        "batched_per_s": BATCH * len(batched) / sum(batched),
        "peak_rss_mb": _peak_rss_mb(),
    }
    print(json.dumps(result))


def _timed(call: Callable[[Any], object], arguments: Sequence[Any]) -> list[float]:
    """Seconds of each call, over the arguments again and again, after one pass to warm up."""
    for argument in arguments:
        call(argument)
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    for argument in islice(cycle(arguments), MAX_CALLS):
        start = time.perf_counter()
        call(argument)
        now = time.perf_counter()
        times.append(now - start)
        if now > end and len(times) >= MIN_CALLS:
            break
    return times


def percentile(values: Sequence[float], p: int) -> float:
    """The smallest value that at least `p` percent of the values do not pass (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * p // 100) - 1)]


def _peak_rss_mb() -> float | None:
    """Peak resident memory of this process in 10^6 bytes."""
    if sys.platform == "linux":
        # Not getrusage: its peak begins with that of the parent, which `exec` hands on.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
        return None
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
