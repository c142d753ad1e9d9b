"""onnxruntime against LiteRT: one row a bundle and engine, all measured in the same run.

    python -m bench.engines [BUNDLE ...] [--runs N] [--seconds S]

Bundles are paths or zoo names, by default all of the zoo that have graphs for both engines. Engines take turns in
fresh processes (`edge_sdk.bench`). One JSON object a bundle: for each engine the latency of one text end to end, load,
first call and resident memory with their spread, the size of its graphs in bytes, and the metrics that the export
measured through it; then `ratio`, LiteRT's median latency over onnxruntime's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from edge_sdk import catalog
from edge_sdk.backends import ENGINES
from edge_sdk.bench import bench
from edge_sdk.bundle import Bundle

MEASURED = ("p50_ms", "p95_ms", "load_ms", "first_call_ms", "steady_rss_mb")


def compare(path: Path, runs: int, seconds: float) -> dict[str, Any]:
    """The row of a bundle."""
    with Bundle.open(path) as bundle:
        manifest = bundle.manifest
        bytes_of = {file.name: file.size for file in manifest.files}
    engines = [engine for engine in ENGINES if engine in manifest.graphs]
    turns: dict[str, list[dict[str, Any]]] = {engine: [] for engine in engines}
    for _ in range(runs):
        for engine in engines:
            turns[engine].append(bench(path, runs=1, backend=engine, batches=(8,), seconds=seconds))
    rows = {
        engine: {
            **{name: _spread([turn[name]["median"] for turn in turns[engine]]) for name in MEASURED},
            "graph_bytes": sum(bytes_of[graph.file] for graph in manifest.graphs[engine].values()),
            "metrics": _metrics(manifest.metrics, engine),
        }
        for engine in engines
    }
    latencies = [rows[engine]["p50_ms"]["median"] for engine in engines]
    ratio = latencies[1] / latencies[0] if len(engines) == 2 else None
    return {"bundle": manifest.name, "version": manifest.version, "engines": rows, "ratio": ratio}


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": median(values), "min": min(values), "max": max(values)}


def _metrics(metrics: Mapping[str, Any], engine: str) -> Any:
    """Those of the int8 graphs; None where no labelled data was at hand at export."""
    return metrics.get("int8" if engine == "onnx" else f"{engine}-int8")


def main() -> None:
    """Print one JSON object a bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="*", metavar="BUNDLE")
    parser.add_argument("--runs", type=int, default=5, help="processes an engine, default 5")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each timed loop, default 1")
    options = parser.parse_args()
    paths = [catalog.find(name) for name in options.bundles] or catalog.bundles()
    for path in paths:
        with Bundle.open(path) as bundle:
            both = len(bundle.manifest.graphs) == len(ENGINES)
        if both or options.bundles:
            print(json.dumps(compare(path, options.runs, options.seconds)), flush=True)


if __name__ == "__main__":
    main()
