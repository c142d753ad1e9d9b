"""Contenders of a task measured in turn, each in fresh processes of its own virtual environment.

A contender is a function `(job) -> (call, bytes)`: it loads what it needs and returns a function of one text, and how many
bytes its model has on disk. Its process reports load time, first call, percentiles of single calls, memory, and what it
answered to each text; scores are computed here, by the same function for all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from edge_sdk.bench.statistics import percentile

ROOT = Path(__file__).parents[2]
Job = dict[str, Any]
Contender = Callable[[Job], "tuple[Callable[[str], Any], int]"]


@dataclass(frozen=True)
class Peer:
    """A contender by the name of its function in its task's module, and what pip has to install for it."""

    name: str
    function: str
    requirements: str = ""
    """File beside this one; empty for our own, which runs in the environment of the caller."""
    job: Mapping[str, Any] = field(default_factory=dict)
    """What this contender needs besides the job of all."""


def compare(
    module: str,
    peers: Sequence[Peer],
    job: Job,
    score: Callable[[list[Any]], dict[str, float]],
    runs: int,
    environments: Path,
) -> list[dict[str, Any]]:
    """One row a peer: scores, and the median over `runs` processes of each cost. Peers take turns.

    A peer whose environment cannot be made, or that fails, has a row with the reason under `left_out`.
    """
    found: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in peers}
    reasons: dict[str, str] = {}
    for _ in range(runs):
        for peer in peers:
            if peer.name in reasons:
                continue
            try:
                python = environment(environments, peer.requirements)
                found[peer.name].append(_run(python, module, peer, {**job, **peer.job}))
            except subprocess.CalledProcessError as error:
                lines = (error.stderr or "").strip().splitlines() or [str(error)]
                reasons[peer.name] = lines[-1]
                print(f"{peer.name}: left out: {lines[-1]}", file=sys.stderr)
    rows = []
    for peer in peers:
        if peer.name in reasons:
            rows.append({"peer": peer.name, "left_out": reasons[peer.name]})
            continue
        results = found[peer.name]
        rows.append(
            {
                "peer": peer.name,
                **{name: round(value, 2) for name, value in score(results[0]["answers"]).items()},
                **{key: round(median(each[key] for each in results), 4) for key in _COSTS},
                "p50_ms_of_each_run": [round(each["p50_ms"], 4) for each in results],
                "model_bytes": results[0]["model_bytes"],
                "packages": results[0]["packages"],
            }
        )
    return rows


_COSTS = ("load_ms", "first_call_ms", "p50_ms", "p95_ms", "rss_mb")


def environment(folder: Path, requirements: str) -> Path:
    """The Python of the virtual environment for a requirements file, made where it is not there yet."""
    if not requirements:
        return Path(sys.executable)
    home = folder / Path(requirements).stem
    python = home / "bin" / "python"
    wanted = (Path(__file__).parent / requirements).read_text()
    done = home / "installed.txt"
    if not done.exists() or done.read_text() != wanted:
        venv.create(home, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "-q", "-r", Path(__file__).parent / requirements]
        subprocess.run(install, check=True, capture_output=True, encoding="utf-8")
        done.write_text(wanted)
    return python


def _run(python: Path, module: str, peer: Peer, job: Job) -> dict[str, Any]:
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    child = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bench.peers.harness import child; child({module!r}, {peer.function!r})"
    done = subprocess.run(
        [python, "-c", child],
        input=json.dumps(job), env={**os.environ, **one_thread, "HF_HUB_OFFLINE": "1"},
        check=True, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def child(module: str, function: str) -> None:
    """The measuring process."""
    from importlib import import_module, metadata

    from edge_sdk.bench.child import rss_mb

    job = json.load(sys.stdin)
    contender: Contender = getattr(import_module(module), function)
    start = time.perf_counter()
    call, model_bytes = contender(job)
    loaded = time.perf_counter()
    texts = job["texts"]
    answers = [call(texts[0])]
    first = time.perf_counter()
    answers += [call(text) for text in texts[1:]]  # warms up, too
    times = []
    for text in texts[: job.get("timed", 1000)]:
        begin = time.perf_counter()
        call(text)
        times.append(time.perf_counter() - begin)
    tops = {name.partition(".")[0] for name in sys.modules}
    owners = metadata.packages_distributions()
    used = sorted({owner for top in tops for owner in owners.get(top, ())})
    print(
        json.dumps(
            {
                "load_ms": (loaded - start) * 1e3,
                "first_call_ms": (first - loaded) * 1e3,
                "p50_ms": percentile(times, 50) * 1e3,
                "p95_ms": percentile(times, 95) * 1e3,
                "rss_mb": rss_mb("VmHWM"),
                "model_bytes": model_bytes,
                "packages": {name: metadata.version(name) for name in used},
                "answers": answers,
            }
        )
    )
