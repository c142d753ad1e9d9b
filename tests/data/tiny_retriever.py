"""A retriever of a few kilobytes that knows colours: the bundle that the runtime's tests run.

A picture's vector is its mean colour, less grey; a text's is the sum of the colours of its words.
So "red" finds red pictures, and every score can be worked out by hand. `python -m tests.data.tiny_retriever FILE`
writes it.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.loading import load

COLOURS = {
    "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0),
    "white": (255, 255, 255), "black": (0, 0, 0), "cyan": (0, 255, 255),
}  # fmt: skip
GALLERY = ["red", "green", "blue"]
EXAMPLES = ["Red", "something green", "bundle:blue"]
DIMENSION, SIZE, MAX_TOKENS = 3, 4, 6
START, END = 0, 1


def vector(*words: str) -> np.ndarray:
    """What the text encoder gives for these colours, of length 1."""
    total = sum(np.array(COLOURS[word]) / 127.5 - 1 for word in words)
    return total / np.linalg.norm(total)


def files() -> dict[str, bytes]:
    """The members of the bundle but `selftest.json`."""
    units = ["<start>", "<end>", "<unknown>", *COLOURS]
    tokenizer = Tokenizer(WordLevel({unit: i for i, unit in enumerate(units)}, unk_token="<unknown>"))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    gallery = np.array([np.full((SIZE, SIZE, 3), COLOURS[name]) for name in GALLERY], np.uint8)
    return {
        "text.onnx": _text_graph(),
        "image.onnx": _image_graph(),
        "tokenizer.json": tokenizer.to_str().encode(),
        "gallery.npy": _npy(gallery),
    }


def manifest() -> dict[str, Any]:
    """What `write_bundle` takes."""
    return {
        "min_runtime": "0.1.0",
        "name": "tiny-colours",
        "version": "1.0.0",
        "task": "retriever",
        "language": "en",
        "licence": "Apache-2.0",
        "training_data": "none: the weights are colours",
        "pipeline": {
            "dimension": DIMENSION,
            "text": {
                "tokenizer": "tokenizer.json", "max_tokens": MAX_TOKENS, "start": [START], "end": [END],
            },
            "image": {"height": SIZE, "width": SIZE, "resize": "bicubic", "crop": "center"},
            "gallery": {"file": "gallery.npy", "names": GALLERY},
        },
        "graphs": {
            "onnx": {
                "text": _graph_spec("text", _tensor("tokens", "int32", ["batch", "length"])),
                "image": _graph_spec("image", _tensor("pixels", "uint8", ["batch", SIZE, SIZE, 3])),
            }
        },
        "metrics": {},
        "examples": EXAMPLES,
    }  # fmt: skip


def build(path: Path, **changes: Any) -> Path:
    """Write the bundle, its self-test recorded from a first load; `changes` replace manifest keys."""
    members = files()
    described = {**manifest(), **changes}
    inputs = [*EXAMPLES, "blue and white", "bundle:red"]
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first.edge"
        write_bundle(first, described, members)
        with load(first) as task:
            outputs = [task(text).to_dict() for text in inputs]
    selftest = {"inputs": inputs, "outputs": outputs, "tolerance": {"onnx": {"vector": 1e-4}}}
    write_bundle(path, described, {**members, "selftest.json": json.dumps(selftest).encode()})
    return path


def repack(path: Path, out: Path, files: dict[str, bytes] | None = None, **pipeline: object) -> Path:
    """The same bundle with other constants in its pipeline (None takes one away), or other members."""
    with Bundle.open(path) as bundle:
        described = {k: v for k, v in bundle.manifest.raw.items() if k not in ("files", "format_version")}
        merged = {**described["pipeline"], **pipeline}
        described["pipeline"] = {key: value for key, value in merged.items() if value is not None}
        members = {file.name: bytes(bundle.read(file.name)) for file in bundle.manifest.files}
    write_bundle(out, described, {**members, **(files or {})})
    return out


def _text_graph() -> bytes:
    """The sum of a table's rows; marks and unknown words add next to nothing."""
    table = np.array([[0, 0, 0], [0, 0, 0], [1e-6] * 3, *(np.array(rgb) / 127.5 - 1 for rgb in COLOURS.values())])
    return _model(
        "text",
        [
            helper.make_node("Gather", ["table", "tokens"], ["rows"], axis=0),
            helper.make_node("ReduceSum", ["rows", "axis"], ["vector"], keepdims=0),
        ],
        [("tokens", TensorProto.INT32, ["batch", "length"])],
        {"table": table.astype(np.float32), "axis": np.array([1])},
    )


def _image_graph() -> bytes:
    return _model(
        "image",
        [
            helper.make_node("Cast", ["pixels"], ["x"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1, 2], keepdims=0),
            helper.make_node("Sub", ["mean", "grey"], ["vector"]),
        ],
        [("pixels", TensorProto.UINT8, ["batch", SIZE, SIZE, 3])],
        {"grey": np.float32(127.5)},
    )


def _model(name: str, nodes: list[Any], inputs: list[Any], constants: dict[str, Any]) -> bytes:
    value_info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        name,
        [value_info(*each) for each in inputs],
        [value_info("vector", TensorProto.FLOAT, ["batch", DIMENSION])],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _graph_spec(name: str, tensor: dict[str, Any]) -> dict[str, Any]:
    return {
        "file": f"{name}.onnx",
        "precision": "fp32",
        "inputs": [tensor],
        "outputs": [_tensor("vector", "float32", ["batch", DIMENSION])],
        "opset": 17,
        "ir_version": 8,
    }


def _tensor(name: str, dtype: str, shape: list[int | str]) -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "shape": shape}


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


if __name__ == "__main__":
    build(Path(sys.argv[1]))
