"""Speed of dual encoders on one core: `python -m bench.towers [--presets ...] [--runs 3]`.

Exports the towers of CLIP ViT-B/32, of the paper's students and of the shipped pair, with random weights (time
does not depend on them), in fp32 and in 8 bits, and prints JSON: for each the median of a single call over fresh
processes, lowest and highest, and how many times faster than CLIP's tower of the same precision it is. Times are
processor time, one thread, warmed up, onnxruntime. Texts have 10 units, as short queries do, and 77, as the paper pads.
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
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.machine import condition

TEACHER = "clip-vit-b32"
PRESETS = (TEACHER, "conaclip-6l", "conaclip-4l", "conaclip-2l", "grocery-teacher", "grocery-student")
TEXT_LENGTHS = (10, 77)
SECONDS = 2.0
CALIBRATION = 4  # scales decide exactness, not speed


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--time", nargs=2, help=argparse.SUPPRESS)  # a child: graph, inputs
    options = parser.parse_args()
    if options.time:
        print(json.dumps(milliseconds(Path(options.time[0]), Path(options.time[1]))))
        return 0
    rows = []
    seen: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        for preset in options.presets:
            rows += measure(preset, Path(folder), options.runs, seen)
    teacher = {(r["tower"], r["precision"]): r["ms"] for r in rows if r["preset"] == TEACHER}
    for row in rows:
        key = row["tower"], row["precision"]
        row["times_teacher"] = round(teacher[key] / row["ms"], 2) if key in teacher else None
    print(json.dumps({"runs": options.runs, "rows": rows, **condition()}))
    return 0


def measure(preset: str, folder: Path, runs: int, seen: set[str]) -> list[dict[str, Any]]:
    """One row for each tower, precision and length; towers of `seen` are left out, new ones noted."""
    rows = []
    for kind, spec in towers(preset).items():
        # The paper's students share their image tower.
        same = f"{kind}: {spec.module.config}"
        if same in seen:
            continue
        seen.add(same)
        for precision, graph in graphs(kind, spec).items():
            path = folder / f"{preset}-{kind}-{precision}.onnx"
            path.write_bytes(graph)
            for name, feed in feeds(kind, spec).items():
                inputs = folder / "inputs.npz"
                np.savez(inputs, **feed)
                times = [_child(path, inputs) for _ in range(runs)]
                rows.append(
                    {
                        "preset": preset,
                        "tower": name,
                        "precision": precision,
                        "megabytes": round(len(graph) / 1e6, 2),
                        "ms": round(statistics.median(times), 3),
                        "lowest": round(min(times), 3),
                        "highest": round(max(times), 3),
                    }
                )
                print(rows[-1], file=sys.stderr, flush=True)
            path.unlink()
    return rows


def towers(preset: str) -> dict[str, Any]:
    """`GraphSpec`s of the two towers with random weights."""
    import torch

    from models.common.export_spec import GraphSpec
    from models.conaclip.config import PRESETS as CONFIGS
    from models.conaclip.exported import exported_image
    from models.conaclip.model import DualEncoder

    torch.manual_seed(0)
    model = DualEncoder(CONFIGS[preset]).eval()
    config = model.config
    tokens = torch.randint(1, config.text.vocabulary - 1, (2, 7), dtype=torch.int32)
    tokens[:, -1] = config.text.vocabulary - 1
    pixels = torch.randint(0, 256, (2, config.image.size, config.image.size, 3), dtype=torch.uint8)
    return {
        "text": GraphSpec(
            model.text, {"tokens": tokens}, ("vector",), {"tokens": {0: "batch", 1: "length"}},
            [{"tokens": tokens.numpy()}] * CALIBRATION, {"length": config.text.length},
        ),
        "image": GraphSpec(
            exported_image(model.image), {"pixels": pixels}, ("vector",), {"pixels": {0: "batch"}},
            [{"pixels": pixels.numpy()}] * CALIBRATION,
        ),
    }  # fmt: skip


def graphs(kind: str, spec: Any) -> dict[str, bytes]:
    """The ONNX file in both precisions."""
    from export.int8 import to_int8
    from export.torch_to_onnx import to_onnx

    plain = to_onnx(spec)
    small = to_int8({kind: plain}, {kind: spec})[kind]
    return {"fp32": plain.SerializeToString(), "int8": small.SerializeToString()}


def feeds(kind: str, spec: Any) -> dict[str, dict[str, np.ndarray]]:
    """Inputs of a single call, by what they are called in the result."""
    if kind == "image":
        return {"image": {"pixels": spec.inputs["pixels"][:1].numpy()}}
    limit = spec.axis_limits["length"]
    row = spec.inputs["tokens"][:1].numpy()
    return {
        f"text {length}": {"tokens": np.concatenate([np.resize(row[:, :-1], (1, length - 1)), row[:, -1:]], 1)}
        for length in (min(length, limit) for length in TEXT_LENGTHS)
    }


def milliseconds(graph: Path, inputs: Path) -> float:
    """Median of single calls in this process."""
    from edge_sdk.backends.onnx import engine

    ort = engine()
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    feed = dict(np.load(inputs))
    for _ in range(3):
        session.run(None, feed)
    times: list[float] = []
    while len(times) < 10 or sum(times) < SECONDS:
        start = time.process_time()
        session.run(None, feed)
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


def _child(graph: Path, inputs: Path) -> float:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "bench.towers", "--time", str(graph), str(inputs)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return float(json.loads(done.stdout))


if __name__ == "__main__":
    sys.exit(main())
