"""Speed and recall of vector search: `python -m bench.vectors [--rows 100000] [--dimension 200] [--runs 5]`.

Prints JSON: for each contender the median milliseconds of one search for the 10 nearest, on one core, over fresh
processes, how often that is of the first contender, how many of the true 10 nearest it finds (by float64), and the
megabytes of its file, or of the float32 vectors where it has none. Vectors are drawn around a thousand centres. Graph
indexes are built once, in one thread, and loaded by the later processes. Peers that are not installed are left out:
pip install usearch hnswlib faiss-cpu.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from bench.kernels.harness import versions
from edge_sdk.machine import condition

TOP = 10
CENTRES = 1000
QUERIES = 200
SECONDS = 1.0
Search = Callable[[np.ndarray], Iterable[int]]
"""One float32 [d] to the numbers of its nearest rows."""


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--exact", action="store_true", help="leave out graph indexes, which take long to build")
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)  # a child
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(CONTENDERS[options.only], options)))
        return 0
    names = [name for name in CONTENDERS if not (options.exact and "HNSW" in name)]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.runs):
            for name in names:
                child = _child(name, options, folder)
                if child is not None:
                    found[name].append(child)
    first = statistics.median(run["ms"] for run in found[names[0]])
    result: dict[str, Any] = {"rows": options.rows, "dimension": options.dimension, "runs": options.runs}
    for name, runs in found.items():
        if runs:
            times = [run["ms"] for run in runs]
            median = statistics.median(times)
            result[name] = {
                "median_ms": round(median, 3),
                "low_ms": round(min(times), 3),
                "high_ms": round(max(times), 3),
                "times_the_first": round(median / first, 2),
                "recall_at_10": runs[0]["recall"],
                "file_mb": runs[0]["file_mb"],
            }
    packages = versions("numpy", "usearch", "hnswlib", "faiss-cpu", "numba")
    print(json.dumps({**result, "versions": packages, **condition()}))
    return 0


def _child(name: str, options: argparse.Namespace, folder: str) -> dict[str, float] | None:
    sizes = ["--rows", str(options.rows), "--dimension", str(options.dimension)]
    command = [sys.executable, "-m", "bench.vectors", *sizes, "--folder", folder, "--only", name]
    face = {"edge_sdk, Numba": "numba", "edge_sdk, NumPy": "reference"}.get(name, "native")
    environment = {**os.environ, "EDGE_SDK_KERNELS": face, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(f"{name}: left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def measure(contender: Callable[[np.ndarray, Path], Search], options: argparse.Namespace) -> dict[str, float]:
    """What one process finds. Processor time, which on an idle machine is the time that passes."""
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((CENTRES, options.dimension), np.float32)

    def draw(n: int) -> np.ndarray:
        vectors = centres[generator.integers(CENTRES, size=n)]
        vectors += generator.standard_normal(vectors.shape, np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    rows, queries = draw(options.rows), draw(QUERIES)
    path = options.folder / options.only.replace(" ", "-")
    search = contender(rows, path)
    hits = 0
    for query in queries[:50]:  # and so it is warm
        exact = np.argsort(-(rows @ query.astype(np.float64)), kind="stable")[:TOP]
        hits += len(set(exact.tolist()) & {int(place) for place in search(query)})
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times) < 20:
        query = queries[len(times) % QUERIES]
        before = time.thread_time()
        search(query)
        times.append(time.thread_time() - before)
    size = path.stat().st_size if path.exists() else rows.nbytes
    return {"ms": statistics.median(times) * 1e3, "recall": round(hits / 50 / TOP, 4), "file_mb": round(size / 1e6, 1)}


def edge_sdk(rows: np.ndarray, path: Path) -> Search:
    from edge_sdk.index import VectorIndex

    if not path.exists():
        made = VectorIndex(rows.shape[1])
        made.update([str(i) for i in range(len(rows))], rows)
        made.save(path)
    index = VectorIndex.open(path)
    return lambda query: [int(match.key) for match in index.search(query, TOP)]


def edge_sdk_graph(rows: np.ndarray, path: Path) -> Search:
    """usearch finds candidates among our integers, the kernel scores them."""
    from edge_sdk.index import VectorIndex
    from edge_sdk.index.graph import GraphIndex

    stored = path.with_suffix(".evi")
    if not path.exists():
        made = VectorIndex(rows.shape[1])
        made.update([str(i) for i in range(len(rows))], rows)
        made.save(stored)
        GraphIndex.build(VectorIndex.open(stored), path)
    graph = GraphIndex.open(VectorIndex.open(stored), path)
    return lambda query: [int(match.key) for match in graph.search(query, TOP)]


def numpy_float32(rows: np.ndarray, path: Path) -> Search:
    def search(query: np.ndarray) -> np.ndarray:
        scores = rows @ query
        best = np.argpartition(-scores, TOP)[:TOP]
        return best[np.argsort(-scores[best])]

    return search


def numpy_int8(rows: np.ndarray, path: Path) -> Search:
    """int8 widened to float32 a block at a time, for BLAS has no product of integers."""
    scales = np.abs(rows).max(1) / 127
    small = np.rint(rows / scales[:, None]).astype(np.int8)

    def search(query: np.ndarray) -> np.ndarray:
        blocks = [small[i : i + 4096].astype(np.float32) @ query for i in range(0, len(small), 4096)]
        scores = np.concatenate(blocks) * scales
        best = np.argpartition(-scores, TOP)[:TOP]
        return best[np.argsort(-scores[best])]

    return search


def faiss_flat(kind: str) -> Callable[[np.ndarray, Path], Search]:
    def prepare(rows: np.ndarray, path: Path) -> Search:
        import faiss

        faiss.omp_set_num_threads(1)
        index = faiss.index_factory(rows.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        index.train(rows)
        index.add(rows)
        faiss.write_index(index, str(path))
        return lambda query: index.search(query[None], TOP)[1][0]

    return prepare


def usearch(exact: bool) -> Callable[[np.ndarray, Path], Search]:
    def prepare(rows: np.ndarray, path: Path) -> Search:
        from usearch.index import Index

        index = Index(ndim=rows.shape[1], metric="cos", dtype="i8")
        if path.exists():
            index.load(str(path))
        elif exact:  # a graph is of no use here: the cheapest that can be had
            index = Index(ndim=rows.shape[1], metric="cos", dtype="i8", connectivity=2, expansion_add=1)
            index.add(np.arange(len(rows)), rows, threads=1)
            index.save(str(path))
        else:
            index.add(np.arange(len(rows)), rows, threads=1)
            index.save(str(path))
        return lambda query: index.search(query, TOP, exact=exact, threads=1).keys

    return prepare


def hnswlib(rows: np.ndarray, path: Path) -> Search:
    import hnswlib

    index = hnswlib.Index(space="ip", dim=rows.shape[1])
    if path.exists():
        index.load_index(str(path))
    else:
        index.init_index(max_elements=len(rows), M=16, ef_construction=128)
        index.add_items(rows, num_threads=1)
        index.save_index(str(path))
    index.set_ef(64)
    return lambda query: index.knn_query(query[None], TOP, num_threads=1)[0][0]


CONTENDERS: dict[str, Callable[[np.ndarray, Path], Search]] = {
    "edge_sdk": edge_sdk,
    "edge_sdk, Numba": edge_sdk,
    "edge_sdk, NumPy": edge_sdk,
    "NumPy float32": numpy_float32,
    "NumPy int8": numpy_int8,
    "faiss flat float32": faiss_flat("Flat"),
    "faiss flat int8": faiss_flat("SQ8"),
    "usearch exact int8": usearch(True),
    "edge_sdk, graph (HNSW)": edge_sdk_graph,
    "usearch HNSW int8": usearch(False),
    "hnswlib HNSW float32": hnswlib,
}


if __name__ == "__main__":
    sys.exit(main())
