"""What runs inside a measuring process: load, first call, then timed loops."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from edge_sdk.bench.statistics import percentile, quantiles

MIN_CALLS = 200
MAX_CALLS = 5000


def measure(import_ms: float) -> None:
    """Reads its job from stdin, tells on stdout when it first answers, then prints the result."""
    from edge_sdk.environment import versions
    from edge_sdk.kernels import implementation
    from edge_sdk.loading import load

    job = json.loads(sys.stdin.readline())
    texts: list[str] = job["texts"]
    start = time.perf_counter()
    task = load(job["bundle"], backend=job["backend"], threads=job["threads"])
    loaded = time.perf_counter()
    task(texts[0])
    first = time.perf_counter()
    print("answered", flush=True)
    seconds: float = job["seconds"]
    single = _timed(task, texts, seconds)
    result = {
        "engine": task.engine,
        "import_ms": import_ms,
        "load_ms": (loaded - start) * 1e3,
        "first_call_ms": (first - loaded) * 1e3,
        **{f"p{p}_ms": percentile(single, p) * 1e3 for p in (50, 95, 99)},
    }
    for size in job["batches"]:
        count = -(-max(size, min(len(texts), 64)) // size)  # so that batches differ as texts do
        every = cycle(texts)
        times = _timed(task.batch, [list(islice(every, size)) for _ in range(count)], seconds)
        result[f"batch_{size}_per_s"] = size * len(times) / sum(times)
    result["steady_rss_mb"] = rss_mb("VmRSS")
    result["peak_rss_mb"] = rss_mb("VmHWM")
    result["quantiles"] = [time * 1e3 for time in quantiles(single)]
    result["by_text"] = [
        median(single[i :: len(texts)]) * 1e3 for i in range(min(len(texts), len(single)))
    ]
    result["packages"] = versions()
    result["kernels"] = implementation()[0]
    print(json.dumps(result))


def _timed(
    call: Callable[[Any], object], arguments: Sequence[Any], seconds: float
) -> list[float]:
    """Seconds of each call, over the arguments again and again, after one pass to warm up.

    Fewer than MIN_CALLS calls only if they would take five times as long as asked for.
    """
    end = time.perf_counter() + seconds
    for argument in arguments:
        call(argument)
        if time.perf_counter() > end:
            break
    times: list[float] = []
    end = time.perf_counter() + seconds
    for argument in islice(cycle(arguments), MAX_CALLS):
        start = time.perf_counter()
        call(argument)
        now = time.perf_counter()
        times.append(now - start)
        if now > end and (len(times) >= MIN_CALLS or now > end + 4 * seconds):
            break
    return times


def rss_mb(field: str) -> float | None:
    """Resident memory of this process, now (VmRSS) or at its peak (VmHWM), in 10^6 bytes."""
    if sys.platform == "linux":
        # Not getrusage: its peak begins with that of the parent, which `exec` hands on.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024 / 1e6
        return None
    if field != "VmHWM":
        return None
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
