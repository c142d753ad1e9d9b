"""A tagger of a few kilobytes that knows a dozen words: the bundle that the runtime's tests run.

`python -m tests.data.tiny_tagger FILE` writes it. tests/data/bundles/ keeps one file of each
format for ever, so that every later runtime proves that it reads them; never overwrite those.
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
from tokenizers.models import WordPiece

from edge_sdk.bundle import write_bundle
from edge_sdk.kernels import HashScheme
from edge_sdk.loading import load
from edge_sdk.projection import Projection
from edge_sdk.tokenizer import SubwordTokenizer

SCHEME = HashScheme(seed=7, n_hashes=32, ngram_min=2, ngram_max=3)
N_FEATURES = 64
INTENTS = ["SET_ALARM", "CALL", "OTHER"]
TAGS = ["O", "B-TIME", "I-TIME", "B-NAME", "I-NAME"]
WORDS = {  # word -> (its tag, the intent that it speaks for)
    "wake": ("O", "SET_ALARM"), "alarm": ("O", "SET_ALARM"), "at": ("O", None),
    "7": ("B-TIME", None), "9": ("B-TIME", None), "am": ("I-TIME", None), "noon": ("B-TIME", None),
    "call": ("O", "CALL"), "ring": ("O", "CALL"), "mom": ("B-NAME", None), "dad": ("B-NAME", None),
    "thanks": ("O", "OTHER"), "hello": ("O", "OTHER"), "me": ("O", None), "up": ("O", None),
    "and": ("O", None), "smith": ("I-NAME", None),
}  # fmt: skip
EXAMPLES = ["wake me up at 7 am", "call mom smith and dad", "hello"]


def files(tokenizer: bytes) -> dict[str, bytes]:
    """The members of the bundle but `selftest.json`."""
    return {
        "model.onnx": _graph(tokenizer),
        "tokenizer.json": tokenizer,
        "labels.json": json.dumps({"intents": INTENTS, "tags": TAGS}).encode(),
        "transitions.npy": _npy(np.zeros((len(TAGS) + 2, len(TAGS)), np.float32)),
    }


def manifest() -> dict[str, Any]:
    """What `write_bundle` takes."""
    return {
        "min_runtime": "0.1.0",
        "name": "tiny",
        "version": "1.0.0",
        "task": "tagger",
        "language": "en",
        "licence": "Apache-2.0",
        "training_data": "none: the weights solve a linear system",
        "pipeline": {
            "splitter": "words-v1",
            "max_tokens": 64,
            "tokenizer": {"file": "tokenizer.json", "continuation": "##"},
            "projection": {
                "kind": "minhash", "hash": "xxh64", "seed": SCHEME.seed,
                "n_hashes": SCHEME.n_hashes, "n_features": N_FEATURES,
                "ngram_min": SCHEME.ngram_min, "ngram_max": SCHEME.ngram_max,
                "boundaries": SCHEME.boundaries, "case": "fold",
            },
            "labels": "labels.json",
            "decoder": {"kind": "crf", "transitions": "transitions.npy", "scheme": "BIO"},
        },
        "graphs": {
            "onnx": {
                "model": {
                    "file": "model.onnx",
                    "precision": "fp32",
                    "inputs": [
                        _tensor("features", "uint8", ["batch", "tokens", N_FEATURES]),
                    ],
                    "outputs": [
                        _tensor("slot_logits", "float32", ["batch", "tokens", len(TAGS)]),
                        _tensor("intent_logits", "float32", ["batch", len(INTENTS)]),
                    ],
                    "opset": 17,
                    "ir_version": 8,
                }
            }
        },
        "metrics": {},
        "examples": EXAMPLES,
    }  # fmt: skip


def tokenizer_json() -> bytes:
    """WordPiece over ASCII letters and digits, with a few longer units."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    units = ["[UNK]", *letters, *("##" + letter for letter in letters), "wa", "##ke", "mo", "call"]
    vocabulary = {unit: i for i, unit in enumerate(units)}
    return Tokenizer(WordPiece(vocabulary, unk_token="[UNK]")).to_str().encode()


def build(path: Path) -> None:
    """Write the bundle, its self-test recorded from a first load."""
    members = files(tokenizer_json())
    inputs = [*EXAMPLES, "", "ring dad at noon", "  Zoë 👍 mom\u0301!"]
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "first.edge"
        write_bundle(first, manifest(), members)
        with load(first) as task:
            outputs = [task(text).to_dict() for text in inputs]
    selftest = {"inputs": inputs, "outputs": outputs, "tolerance": {"onnx": {"score": 1e-4}}}
    write_bundle(path, manifest(), {**members, "selftest.json": json.dumps(selftest).encode()})


def _graph(tokenizer: bytes) -> bytes:
    """One linear map to the tags, one to the intents with the maximum over the words.

    Padding has features of zero, and so scores of zero, which change no maximum after the Relu.
    """
    project = Projection(SubwordTokenizer(tokenizer), SCHEME, N_FEATURES, fold_case=True)
    features = project(list(WORDS))
    tags = np.full((len(WORDS), len(TAGS)), -4.0)
    intents = np.zeros((len(WORDS), len(INTENTS)))
    for row, (tag, intent) in enumerate(WORDS.values()):
        tags[row, TAGS.index(tag)] = 4.0
        if intent is not None:
            intents[row, INTENTS.index(intent)] = 6.0
    solution = np.linalg.lstsq(features.astype(float), np.hstack([tags, intents]), rcond=None)[0]
    weights = solution.astype(np.float32)
    value_info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["features"], ["x"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["x", "tag_weights"], ["slot_logits"]),
            helper.make_node("MatMul", ["x", "intent_weights"], ["word_intents"]),
            helper.make_node("Relu", ["word_intents"], ["positive"]),
            helper.make_node("ReduceMax", ["positive"], ["intent_logits"], axes=[1], keepdims=0),
        ],
        "tiny",
        [value_info("features", TensorProto.UINT8, ["batch", "tokens", N_FEATURES])],
        [
            value_info("slot_logits", TensorProto.FLOAT, ["batch", "tokens", len(TAGS)]),
            value_info("intent_logits", TensorProto.FLOAT, ["batch", len(INTENTS)]),
        ],
        [
            numpy_helper.from_array(weights[:, : len(TAGS)].copy(), "tag_weights"),
            numpy_helper.from_array(weights[:, len(TAGS) :].copy(), "intent_weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _tensor(name: str, dtype: str, shape: list[int | str]) -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "shape": shape}


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


if __name__ == "__main__":
    build(Path(sys.argv[1]))
