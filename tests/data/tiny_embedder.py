"""Embedders of a few kilobytes, for each kind of input: the bundles that the runtime's tests run.

Their vectors are sums of random rows, one a character or n-gram, so that what they must be is easily
worked out again, and phrases that share letters or words are close.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edge_sdk.bundle import write_bundle
from edge_sdk.loading import load

DIMENSION = 64
MAX_CHARACTERS = 100
CHARACTERS = " abcdefghijklmnopqrstuvwxyz0123456789é"
NGRAMS = {"ngram_min": 2, "ngram_max": 3, "word_max": 2, "ngram_buckets": 500, "word_buckets": 300}
EXAMPLES = ["lithium ion battery", "Lithium-Ion Batteries", "neural network"]
ROWS = {"characters": len(CHARACTERS) + 1, "ngrams": 1 + 500 + 300}


def table(kind: str) -> np.ndarray:
    """float32 [rows, DIMENSION]; row 0 is unknown for characters, and padding, zeros, for n-grams."""
    rows = np.random.default_rng(5).normal(size=(ROWS[kind], DIMENSION)).astype(np.float32)
    if kind == "ngrams":
        rows[0] = 0
    return rows


def manifest(kind: str) -> dict[str, Any]:
    """What `write_bundle` takes."""
    source = {"file": "characters.json"} if kind == "characters" else NGRAMS
    return {
        "min_runtime": "0.1.0",
        "name": f"tiny-{kind}",
        "version": "1.0.0",
        "task": "embedder",
        "language": "en",
        "licence": "Apache-2.0",
        "training_data": "none: the weights are random numbers",
        "pipeline": {
            "dimension": DIMENSION,
            "max_characters": MAX_CHARACTERS,
            "normalisation": "phrase-v1",
            "input": {"kind": kind, **source},
        },
        "graphs": {
            "onnx": {
                "model": {
                    "file": "model.onnx",
                    "precision": "fp32",
                    "inputs": [{"name": kind, "dtype": "int32", "shape": ["batch", "length"]}],
                    "outputs": [{"name": "vector", "dtype": "float32", "shape": ["batch", DIMENSION]}],
                    "opset": 17,
                    "ir_version": 8,
                }
            }
        },
        "metrics": {},
        "examples": EXAMPLES,
    }


def files(kind: str) -> dict[str, bytes]:
    """The members of the bundle but `selftest.json`."""
    members = {"model.onnx": graph(kind)}
    if kind == "characters":
        members["characters.json"] = json.dumps(list(CHARACTERS)).encode()
    return members


def build(path: Path, kind: str) -> None:
    """Write the bundle, its self-test recorded from a first load."""
    inputs = [*EXAMPLES, "", "  ?! ", "Zo\u00eb \u65e5\u672c \U0001f44d"]
    members = files(kind)
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first.edge"
        write_bundle(first, manifest(kind), members)
        with load(first) as task:
            outputs = [task(text).to_dict() for text in inputs]
    selftest = {
        "inputs": inputs, "outputs": outputs, "tolerance": {"onnx": {"vector": {"cosine": 0.999}}},
    }  # fmt: skip
    write_bundle(path, manifest(kind), {**members, "selftest.json": json.dumps(selftest).encode()})


def graph(kind: str, rows: np.ndarray | None = None) -> bytes:
    """The sum of the rows that the numbers name."""
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Gather", ["table", kind], ["rows"]),
                helper.make_node("ReduceSum", ["rows", "axes"], ["vector"], keepdims=0),
            ],
            "tiny",
            [helper.make_tensor_value_info(kind, TensorProto.INT32, ["batch", "length"])],
            [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", DIMENSION])],
            [
                numpy_helper.from_array(table(kind) if rows is None else rows, "table"),
                numpy_helper.from_array(np.array([1], np.int64), "axes"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()
