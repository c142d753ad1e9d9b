"""torch -> ONNX fp32 -> ONNX int8."""

from __future__ import annotations

import re

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from export.int8 import SMALLEST, to_int8
from export.int8.weights import quantize_columns
from models.common.export_spec import ExportSpec
from tests.export import standin


def run(model: onnx.ModelProto, features: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["slot_logits", "intent_logits"], {"features": features})


def random_features(batch: int, tokens: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.multinomial(64, np.full(64, 1 / 64), (batch, tokens)).astype(np.uint8)


class TestFp32:
    @pytest.mark.parametrize("batch", [1, 3])
    @pytest.mark.parametrize("tokens", [1, 2, 7, standin.MAX_TOKENS])
    def test_gives_what_torch_gives(
        self, spec: ExportSpec, fp32: onnx.ModelProto, batch: int, tokens: int
    ) -> None:
        features = random_features(batch, tokens)
        with torch.no_grad():
            expected = spec.graphs["model"].module(torch.from_numpy(features))
        for found, tensor in zip(run(fp32, features), expected, strict=True):
            np.testing.assert_allclose(found, tensor.numpy(), atol=1e-4)

    def test_axes_are_named(self, fp32: onnx.ModelProto) -> None:
        shapes = {
            value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
            for value in [*fp32.graph.input, *fp32.graph.output]
        }
        assert shapes == {
            "features": ["batch", "tokens", standin.N_FEATURES],
            "slot_logits": ["batch", "tokens", len(standin.TAGS)],
            "intent_logits": ["batch", len(standin.INTENTS)],
        }


@pytest.mark.parametrize("version", ["fp32", "int8"])
def test_nothing_in_the_file_but_the_graph(version: str, request: pytest.FixtureRequest) -> None:
    model: onnx.ModelProto = request.getfixturevalue(version)
    assert model.ir_version == 8
    used = {node.domain for node in model.graph.node}
    assert {opset.domain for opset in model.opset_import} == used
    assert not re.search(rb"\.py|/[a-z]+/[a-z]+/", model.SerializeToString())  # paths, stack traces


class TestInt8:
    def test_no_large_constant_is_left_in_fp32(self, int8: onnx.ModelProto) -> None:
        large = [t for t in int8.graph.initializer if np.prod(t.dims) >= SMALLEST]
        assert {t.data_type for t in large} == {onnx.TensorProto.INT8}
        assert len(large) == 3  # bottleneck, up, down

    def test_products_are_of_integers(self, fp32: onnx.ModelProto, int8: onnx.ModelProto) -> None:
        """All that have a constant matrix; the two of token mixing are cut to the length first."""
        operators = [node.op_type for node in int8.graph.node]
        assert operators.count("MatMulIntegerToFloat") == 3
        assert operators.count("MatMul") + operators.count("Gemm") == 2
        assert int8.ByteSize() < fp32.ByteSize() / 2

    def test_close_to_fp32(self, fp32: onnx.ModelProto, int8: onnx.ModelProto) -> None:
        features = standin.features(standin.sentences(5, 40))
        for exact, close in zip(run(fp32, features), run(int8, features), strict=True):
            assert np.abs(exact - close).max() < 0.05 * np.abs(exact).max()

    @pytest.mark.parametrize("version", ["fp32", "int8"])
    def test_the_rest_of_the_batch_and_padding_change_nothing(
        self, version: str, request: pytest.FixtureRequest
    ) -> None:
        model = request.getfixturevalue(version)
        features = random_features(6, 12)
        lengths = [12, 1, 5, 12, 7, 2]
        for row, length in zip(features, lengths):
            row[length:] = 0
        together = run(model, features)
        for i, length in enumerate(lengths):
            slots, intents = run(model, features[i : i + 1, :length])
            exact = version == "int8"  # sums of integers have no rounding
            for alone, among in ((slots[0], together[0][i, :length]), (intents[0], together[1][i])):
                np.testing.assert_allclose(among, alone, rtol=0, atol=1e-6 if exact else 1e-4)

    def test_the_input_is_left_as_it_is(self, spec: ExportSpec, fp32: onnx.ModelProto) -> None:
        before = fp32.SerializeToString()
        once = to_int8({"model": fp32}, spec.graphs)["model"]
        assert fp32.SerializeToString() == before
        again = to_int8({"model": fp32}, spec.graphs)["model"]
        assert once.SerializeToString() == again.SerializeToString()


MATRICES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 4)),
    elements=st.floats(-1e3, 1e3, width=32),
)


class TestColumns:
    @given(MATRICES)
    def test_weights_are_as_near_as_their_scale(self, weights: np.ndarray) -> None:
        whole, scales = quantize_columns(weights)
        assert whole.dtype == np.int8 and whole.shape == weights.shape
        assert (np.abs(whole * scales - weights) <= scales * 0.501).all()

    @given(MATRICES, st.data())
    def test_neighbouring_products_fit_into_16_bits(
        self, weights: np.ndarray, data: st.DataObject
    ) -> None:
        """As x86's PMADDUBSW adds them, for the worst activations: 255 where it hurts."""
        whole = quantize_columns(weights)[0].astype(np.int64)
        whole = np.pad(whole, ((0, len(whole) % 2), (0, 0)))
        for sign in (1, -1):
            products = 255 * np.maximum(sign * whole, 0)
            sums = sign * (products[0::2] + products[1::2])
            assert (sums == np.clip(sums, -(2**15), 2**15 - 1)).all()

    def test_fine_where_it_can_be(self) -> None:
        """A column whose large weights have other signs than their neighbours uses all 8 bits."""
        whole, _ = quantize_columns(np.array([[1, 1], [-1, 1], [0.5, 0.5], [-0.25, -0.25]], np.float32))
        assert np.abs(whole).max(axis=0).tolist() == [127, 64]

    def test_zeros(self) -> None:
        whole, scales = quantize_columns(np.zeros((4, 2), np.float32))
        assert not whole.any() and (scales > 0).all()
