"""Arguments of a comparison, its record and its picture: accuracy against latency, the area of a point its size."""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.peers.harness import Job, Peer, compare, environment
from edge_sdk.files import atomic_write
from edge_sdk.machine import condition, machine


def arguments(description: str | None) -> argparse.Namespace:
    """What every comparison takes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    parser.add_argument("--runs", type=int, default=3, help="processes a contender, default 3")
    parser.add_argument("--build", type=Path, default=Path("build/peers"), metavar="DIR", help="environments and trained peers")
    return parser.parse_args()


def finish(
    options: argparse.Namespace,
    module: str,
    peers: Sequence[Peer],
    job: Job,
    score: Callable[[list[Any]], dict[str, float]],
    accuracy: str,
    train: tuple[str, str, Path] | None = None,
) -> None:
    """Train the peers where `train` says (requirements, call, folder) and they are not trained yet; compare; record; draw."""
    if train is not None and not (train[2] / "trained").exists():
        train[2].mkdir(parents=True, exist_ok=True)
        code = f"import sys; sys.path.insert(0, '.'); from {module} import train; {train[1]}"
        subprocess.run([environment(options.build, train[0]), "-c", code], check=True)
        (train[2] / "trained").touch()
    before = condition()
    rows = compare(module, peers, job, score, options.runs, options.build)
    record = {
        "command": shlex.join(["python", "-m", module, *sys.argv[1:]]),
        "date": datetime.date.today().isoformat(),
        "machine": {**machine(), "before": before, "after": condition()},
        "texts": len(job["texts"]),
        "results": rows,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(options.out) as file:
        file.write(json.dumps(record, indent=1, ensure_ascii=False).encode() + b"\n")
    print(json.dumps(rows, indent=1, ensure_ascii=False))
    if options.plot:
        plot(rows, accuracy, options.plot)


def plot(rows: Sequence[Mapping[str, Any]], accuracy: str, path: Path) -> None:
    """Up and to the left is better; a line joins those that no other beats in both."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = sorted((row for row in rows if accuracy in row), key=lambda row: row["p50_ms"])
    figure, axes = pyplot.subplots(figsize=(6.4, 4.0), constrained_layout=True)
    best: list[Mapping[str, Any]] = []
    for row in rows:
        axes.scatter(row["p50_ms"], row[accuracy], s=30 + row["model_bytes"] / 1e5, alpha=0.6)
        axes.annotate(f"{row['peer']}\n{row['model_bytes'] / 1e6:.1f} MB", (row["p50_ms"], row[accuracy]), fontsize=8, xytext=(6, 6), textcoords="offset points")
        if not best or row[accuracy] > best[-1][accuracy]:
            best.append(row)
    axes.plot([row["p50_ms"] for row in best], [row[accuracy] for row in best], color="grey", linewidth=0.8, zorder=0)
    axes.set(xscale="log", xlabel="milliseconds a call, p50", ylabel=accuracy.replace("_", " "))
    axes.margins(x=0.4, y=0.25)  # room for the names
    axes.grid(alpha=0.3)
    figure.savefig(path)
    pyplot.close(figure)
