"""The operators of every family in 8 bits: exact enough, small, and really computed in 8 bits."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import Tensor, nn

from export.errors import ExportError
from export.int8 import to_int8
from export.int8.weights import LARGEST_PAIR, quantize_kernels, quantize_rows
from export.torch_to_onnx import to_onnx
from models.common.export_spec import GraphSpec
from tests.export import operators


class Exported(NamedTuple):
    spec: GraphSpec
    fp32: onnx.ModelProto
    int8: onnx.ModelProto


def specs(kind: str) -> dict[str, GraphSpec]:
    torch.manual_seed(0)
    match kind:
        case "lstm":
            return {"model": operators.vectors(operators.Recurrent(nn.LSTM), "characters", 90)}
        case "gru":
            return {"model": operators.vectors(operators.Recurrent(nn.GRU), "characters", 90)}
        case "bag":
            return {"model": operators.vectors(operators.Bag(), "ngrams", 900)}
        case "image":
            return {"model": operators.images(operators.Image())}
        case "image-dynamic":
            return {"model": operators.images(operators.Image(), activations="dynamic")}
        case "convolutional":
            return {"model": operators.images(operators.Convolutional())}
    return operators.translator()


def exported(kind: str, graph: str = "model") -> Exported:
    return all_exported(kind)[graph]


@cache
def all_exported(kind: str) -> dict[str, Exported]:
    given = specs(kind)
    fp32 = {name: to_onnx(spec) for name, spec in given.items()}
    int8 = to_int8(fp32, given)
    return {name: Exported(spec, fp32[name], int8[name]) for name, spec in given.items()}


def run(model: onnx.ModelProto, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run([output.name for output in model.graph.output], feed)


def operator_counts(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def fresh(kind: str, rows: int, length: int) -> dict[str, np.ndarray]:
    """An input that calibration did not see."""
    rng = np.random.default_rng(length)
    if kind in ("lstm", "gru"):
        return {"characters": operators.integers(rng, 90, rows, length)}
    if kind == "bag":
        return {"ngrams": operators.integers(rng, 900, rows, length)}
    seen = exported(kind).spec.calibration
    pictures = [0.5 * seen[i]["pixels"] + 0.5 * seen[i + 1]["pixels"] for i in range(rows)]
    return {"pixels": np.concatenate(pictures).astype(np.uint8)}


@pytest.mark.parametrize(
    ("kind", "lowest", "share"),
    [
        ("lstm", 0.999, 0.3), ("gru", 0.995, 0.3), ("bag", 0.995, 0.3), ("image", 0.99, 0.32),
        ("image-dynamic", 0.99, 0.32), ("convolutional", 0.99, 0.4),
    ],
)  # fmt: skip
def test_vectors_point_where_torch_says(kind: str, lowest: float, share: float) -> None:
    """Lengths and batches that neither the example nor the calibration had."""
    model = exported(kind)
    for rows, length in ((1, 1), (3, 5), (2, 40)):
        feed = fresh(kind, rows, length)
        with torch.no_grad():
            expected = model.spec.module(*map(torch.from_numpy, feed.values())).numpy()
        np.testing.assert_allclose(run(model.fp32, feed)[0], expected, atol=1e-4)
        assert cosines(run(model.int8, feed)[0], expected).min() > lowest
    assert model.int8.ByteSize() < share * model.fp32.ByteSize()


@pytest.mark.parametrize(
    ("kind", "graph", "expected"),
    [
        ("lstm", "model", {"DynamicQuantizeLSTM": 2, "MatMulIntegerToFloat": 2, "LSTM": 0}),
        ("gru", "model", {"GRU": 2, "MatMulIntegerToFloat": 2}),
        ("bag", "model", {"MatMulIntegerToFloat": 1, "MatMul": 0, "Gemm": 0}),
        # four products a block, the patches, the head; the patches are read as the bytes they are
        ("image", "model", {"MatMulIntegerToFloat": 10, "QuantizeLinear": 9, "MatMul": 4}),
        ("image-dynamic", "model", {"DynamicQuantizeMatMul": 10, "QuantizeLinear": 0}),
        ("convolutional", "model", {"QLinearConv": 8, "Conv": 0, "QLinearAdd": 2, "Relu": 0}),
        ("translator", "encoder", {"MatMulIntegerToFloat": 5, "Gemm": 0}),
        ("translator", "step", {"MatMulIntegerToFloat": 7, "Gemm": 0}),
    ],
)
def test_products_are_of_integers(kind: str, graph: str, expected: dict[str, int]) -> None:
    found = operator_counts(exported(kind, graph).int8)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("kind", ["gru", "bag", "image", "convolutional"])
def test_the_rest_of_the_batch_changes_nothing(kind: str) -> None:
    feed = fresh(kind, 4, 9)
    ((name, rows),) = feed.items()
    together = run(exported(kind).int8, feed)[0]
    for i, row in enumerate(rows):
        alone = run(exported(kind).int8, {name: row[None]})[0][0]
        np.testing.assert_allclose(together[i], alone, rtol=0, atol=2e-6)


def test_padding_of_a_bag_changes_nothing() -> None:
    ngrams = fresh("bag", 1, 6)["ngrams"]
    padded = np.pad(ngrams, ((0, 0), (0, 5)))
    short, long = (run(exported("bag").int8, {"ngrams": x})[0] for x in (ngrams, padded))
    np.testing.assert_array_equal(short, long)


class TestTranslator:
    def test_a_greedy_decoder_says_the_same(self) -> None:
        """Twelve steps with cached keys and values, starting from no past at all."""
        encoder, step = exported("translator", "encoder"), exported("translator", "step")
        source = operators.integers(np.random.default_rng(9), operators.VOCABULARY, 1, 6)
        said = {}
        for version in ("fp32", "int8"):
            cross = run(getattr(encoder, version), {"source": source})
            past = [np.zeros((1, operators.HEADS, 0, 16), np.float32)] * 2
            token, said[version] = np.ones((1, 1), np.int32), []
            for _ in range(12):
                logits, *past = run(
                    getattr(step, version),
                    {"token": token, "source": source, "cross_key": cross[0], "cross_value": cross[1],
                     "past_key": past[0], "past_value": past[1]},
                )  # fmt: skip
                said[version].append(logits[0])
                # The reference's choice, so that one near tie does not part the two for good.
                token = np.int32([[said["fp32"][len(said[version]) - 1].argmax()]])
            assert past[0].shape[2] == 12
        fp32, int8 = np.stack(said["fp32"]), np.stack(said["int8"])
        assert cosines(int8, fp32).min() > 0.995
        assert (int8.argmax(1) == fp32.argmax(1)).mean() > 0.8

    def test_a_tied_table_is_stored_once(self) -> None:
        step = exported("translator", "step")
        table = operators.VOCABULARY * operators.WIDTH
        tables = [t for t in step.int8.graph.initializer if np.prod(t.dims) == table]
        assert len(tables) == 1 and tables[0].data_type == onnx.TensorProto.INT8

    def test_both_graphs_look_up_the_same_numbers(self) -> None:
        """The encoder has no product with the table, and still stores it as the step does."""
        found = [
            onnx.numpy_helper.to_array(t)
            for graph in ("encoder", "step")
            for t in exported("translator", graph).int8.graph.initializer
            if np.prod(t.dims) == operators.VOCABULARY * operators.WIDTH
        ]
        np.testing.assert_array_equal(*found)


class Looped(nn.Module):
    """Counts in Python what should be an axis of the graph."""

    def forward(self, ngrams: Tensor) -> Tensor:
        return sum(ngrams[:, i].float()[:, None] * torch.ones(48) for i in range(ngrams.shape[1]))


def test_a_size_taken_for_a_constant_is_an_error() -> None:
    with pytest.raises(ExportError, match="length.* of input ngrams has the fixed size 7") as caught:
        to_onnx(operators.vectors(Looped(), "ngrams", 9))
    assert caught.value.code == "export_axis"


VALUES = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=4, max_side=6),
    elements=st.floats(-1e3, 1e3, width=32),
)


@given(VALUES)
def test_rows_are_as_near_as_their_scale(values: np.ndarray) -> None:
    whole, scales = quantize_rows(values)
    assert whole.dtype == np.int8 and whole.shape == values.shape
    assert (np.abs(whole * scales - values) <= scales * 0.501).all()


def test_short_rows_share_scales() -> None:
    assert quantize_rows(np.ones((8, 16, 3, 3), np.float32))[1].shape == (8, 1, 1, 1)
    assert quantize_rows(np.ones((8, 4, 64), np.float32))[1].shape == (8, 4, 1)
    assert quantize_rows(np.ones((8, 4), np.float32))[1].shape == (8, 1)


@given(VALUES)
def test_kernels_never_overflow_in_any_order(kernels: np.ndarray) -> None:
    whole, scales = quantize_kernels(kernels)
    assert 2 * np.abs(whole.astype(int)).max() <= LARGEST_PAIR
    step = scales.reshape(-1, *[1] * (kernels.ndim - 1))
    assert (np.abs(whole * step - kernels) <= step * 0.501).all()
