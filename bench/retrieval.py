"""Speed of a retriever: `python -m bench.retrieval --data DIR [--bundle grocery-clip] [--runs 5]`.

DIR holds `pairs.tsv` and the pictures as SPLIT.tar. Prints JSON: for each measurement the median over fresh processes,
and the lowest and highest. Times are of one call, one thread, warmed up, in processor time, which on an idle machine
is the time that passes; `index` is what passes when a folder of all the pictures of the first split is indexed,
decoding included. Peers run in the same processes: `pillow_ms` is Pillow's own decoding and resizing,
`numpy_search_ms` a matrix product and a sort of float32 vectors.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from edge_sdk.machine import condition

ROWS = 100_000
SECONDS = 1.0


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--bundle", default="grocery-clip")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=("calls", "index"), help=argparse.SUPPRESS)  # a child
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        child = calls if options.only == "calls" else index
        print(json.dumps(child(options.bundle, options.data, options.threads)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = _extract(options.data, folder)
        (folder / "texts.json").write_text(json.dumps(texts))
        pictures = len(list(folder.rglob("*.*"))) - 1
        found = {"bundle": options.bundle, "runs": options.runs, "texts": len(texts), "pictures": pictures, "rows": ROWS}
        found |= _summary([_child(options.bundle, folder, "calls", 1) for _ in range(options.runs)])
        for threads in (1, 2):
            runs = [_child(options.bundle, folder, "index", threads) for _ in range(options.runs)]
            found[f"index_{threads}_threads"] = _summary(runs)
    print(json.dumps({**found, **condition()}))
    return 0


def _extract(data: Path, folder: Path) -> list[str]:
    """Unpack the pictures of the first split; returns the distinct names of all."""
    from edge_sdk.evaluate.data import read_tsv

    rows = [row for _, row in read_tsv(data / "pairs.tsv")]
    with tarfile.open(data / f"{rows[0]['split']}.tar") as archive:
        archive.extractall(folder, filter="data")
    return sorted({row["name"] for row in rows})


def _child(bundle: str, folder: Path, only: str, threads: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.retrieval", "--data", str(folder), "--bundle", bundle, "--only", only]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([*command, "--threads", str(threads)], env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _summary(runs: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Median, lowest and highest of each key over the processes."""
    columns = {key: [run[key] for run in runs] for key in runs[0]}
    return {
        key: {"median": round(statistics.median(v), 4), "low": round(min(v), 4), "high": round(max(v), 4)}
        for key, v in columns.items()
    }


def _median_ms(call: Callable[[Any], object], arguments: Sequence[Any]) -> float:
    """Median milliseconds of a call, over the arguments again and again, after a pass to warm up."""
    for argument in arguments[:50]:
        call(argument)
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    for argument in islice(cycle(arguments), 100_000):
        before = time.thread_time()
        call(argument)
        times.append(time.thread_time() - before)
        if time.perf_counter() > end and len(times) >= 30:
            break
    return statistics.median(times) * 1e3


def calls(bundle: str, folder: Path, threads: int) -> dict[str, float]:
    """What single calls take."""
    import numpy as np
    from PIL import Image

    import edge_sdk
    from edge_sdk.index import VectorIndex

    texts = json.loads((folder / "texts.json").read_text())
    files = [path for path in sorted(folder.rglob("*.*")) if path.suffix != ".json"][:400]
    with edge_sdk.load(bundle, threads=threads) as task:
        pixels = [task.pixels(file) for file in files]
        size = task.preprocessing.width, task.preprocessing.height
        vectors = np.random.default_rng(0).normal(size=(ROWS, task.dimension)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        index = VectorIndex(task.dimension, task.bundle)
        index.update([f"/photos/{i:06}.jpg" for i in range(ROWS)], vectors)
        queries = [task.text_vector(text) for text in texts]

        def numpy_search(query: np.ndarray) -> np.ndarray:
            scores = vectors @ query
            best = np.argpartition(-scores, 10)[:10]
            return best[np.argsort(-scores[best])]

        def pillow(file: Path) -> np.ndarray:
            with Image.open(file) as image:
                return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))

        return {
            "text_ms": _median_ms(task.text_vector, texts),
            "pixels_to_vector_ms": _median_ms(task, pixels),
            "file_to_pixels_ms": _median_ms(task.pixels, files),
            "pillow_ms": _median_ms(pillow, files),
            "file_to_vector_ms": _median_ms(task, files),
            "search_ms": _median_ms(index.search, queries),
            "numpy_search_ms": _median_ms(numpy_search, queries),
            "text_to_hits_ms": _median_ms(lambda text: task.search_index(index, text, 10), texts),
        }


def index(bundle: str, folder: Path, threads: int) -> dict[str, float]:
    """A whole folder; processor time is that of all threads together."""
    import edge_sdk

    with edge_sdk.load(bundle) as task, tempfile.TemporaryDirectory() as out:
        wall, processor = time.perf_counter(), time.process_time()
        report = task.build_index(folder, Path(out) / "index.evi", threads=threads)
        seconds = time.perf_counter() - wall
        return {
            "pictures_per_s": report["rows"] / seconds,
            "processor_ms_a_picture": (time.process_time() - processor) / report["rows"] * 1e3,
        }


if __name__ == "__main__":
    sys.exit(main())
