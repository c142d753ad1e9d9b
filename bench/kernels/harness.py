"""Times contenders against each other: fresh processes in turn, warmed up, medians with their spread, as JSON.

A benchmark names its contenders, each a function that prepares and returns the call to time, and runs `main`. The
result says by how much each is slower than the first, which ran in the same minutes on the same machine.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from edge_sdk.machine import condition, machine

RESULTS = Path(__file__).parent.parent / "results" / "kernels"
Contenders = dict[str, Callable[[], Callable[[], object]]]


def time_call(call: Callable[[], object], seconds: float) -> float:
    """Median microseconds of one call, over windows of at least 100 microseconds, after a tenth of the time.

    What is timed runs in one thread and waits for nothing, so its processor time is its time on an idle machine; wall
    time would count what other processes take.
    """
    started = time.perf_counter()
    n = 1
    while time.perf_counter() - started < seconds / 10:
        if _window(call, n) < 1e-4:
            n *= 2
    windows = []
    while len(windows) < 5 or time.perf_counter() - started < seconds:
        windows.append(_window(call, n) / n * 1e6)
    return statistics.median(windows)


def _window(call: Callable[[], object], n: int) -> float:
    before = time.thread_time()
    for _ in range(n):
        call()
    return time.thread_time() - before


def versions(*packages: str) -> dict[str, str]:
    """Installed versions of what takes part."""
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def main(name: str, contenders: Contenders, packages: tuple[str, ...]) -> None:
    """Runs the contenders and writes bench/results/kernels/NAME.json; one that cannot be imported is left out."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--runs", type=int, default=5, help="fresh processes for each contender")
    parser.add_argument("--seconds", type=float, default=0.5, help="time for each process")
    parser.add_argument("--only", choices=contenders, help=argparse.SUPPRESS)  # the child: prints one number
    arguments = parser.parse_args()
    if arguments.only:
        print(time_call(contenders[arguments.only](), arguments.seconds))
        return

    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    times: dict[str, list[float]] = {contender: [] for contender in contenders}
    for _ in range(arguments.runs):
        for contender, measured in times.items():
            child = [sys.executable, sys.argv[0], "--only", contender, "--seconds", str(arguments.seconds)]
            result = subprocess.run(child, env=environment, capture_output=True, text=True)
            if result.returncode == 0:
                measured.append(float(result.stdout))
            else:
                print(f"{contender}: left out: {result.stderr.strip().splitlines()[-1]}", file=sys.stderr)
    first = statistics.median(next(iter(times.values())))
    rows = {}
    for contender, measured in times.items():
        if not measured:
            continue
        median = statistics.median(measured)
        rows[contender] = {
            "median_us": round(median, 3),
            "low_us": round(min(measured), 3),
            "high_us": round(max(measured), 3),
            "times_the_first": round(median / first, 2),
        }
        print(f"{contender:44}{median:12.2f} us  {min(measured):10.2f} to {max(measured):.2f}  x{median / first:.1f}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    result = {
        "command": f"python bench/kernels/{name}.py --runs {arguments.runs} --seconds {arguments.seconds}",
        "machine": {**machine(), **condition()},
        "versions": versions("numpy", *packages),
        "results": rows,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
