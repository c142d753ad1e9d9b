"""An fp32 ONNX graph in 8 bits: int8 weights everywhere, int8 arithmetic where it pays.

- Products of activations with a constant matrix are computed in integers. Each activation has one
  scale for good, from the range that it takes on real inputs: with scales taken anew from every
  tensor ("dynamic" quantization) a result would depend on the other rows of its batch.
- Activations are quantized before they are gathered, cut or joined rather than after: tables of
  embeddings become tables of the very integers that a product takes, a quarter as large.
- Weights have one scale a column, as fine as 8 bits allow without overflow on any processor: the
  instruction for 8-bit products of x86 processors without VNNI adds two neighbouring products in
  16 bits. So the same integers come out everywhere.
- Every other large constant, such as token-mixing weights that the graph cuts to the length of
  its input, is stored as int8 with one scale a row and turned back into fp32 by `Cast` and
  `Mul` of constants, which engines compute once, at load. At 8 tokens such products are too
  small for integer arithmetic to win back the cost of quantizing what goes in.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.torch_to_onnx import clean

SMALLEST = 1024
"""Constants with fewer elements stay fp32: little to win, and biases and norms need the range."""
LARGEST_WEIGHT = 127
LARGEST_PAIR = 128
"""255 * 128 fits into 16 signed bits: sum of two neighbouring weights of the same sign."""

MOVES = {"Concat": None, "Gather": 1, "Reshape": 1, "Slice": 1, "Transpose": 1, "Unsqueeze": 1}
"""Operators that only move values, and how many of their inputs are values (None: all)."""

Feeds = Sequence[Mapping[str, np.ndarray]]


def to_int8(model: onnx.ModelProto, calibration: Feeds) -> onnx.ModelProto:
    """The 8-bit version of an fp32 graph, which stays as it is.

    `calibration` holds real inputs; values beyond those seen there are clipped.
    """
    model = _folded(model)
    graph = _Graph(model.graph)
    products = [node for node in model.graph.node if graph.is_product(node)]
    ranges = _ranges(model, {node.input[0] for node in products}, calibration)
    for node in products:
        graph.quantize_product(node, *ranges[node.input[0]])
    graph.store_constants_as_int8()
    graph.finish()
    # Part of onnxruntime since 1.2; with standard operators each product takes four nodes.
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return clean(model)


def quantize_columns(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32[K, N] -> int8[K, N] and float32[N], whose product is about `weights`.

    In a column, weights 2k and 2k + 1 that have the same sign add up to at most LARGEST_PAIR.
    """
    pairs = np.pad(weights, ((0, len(weights) % 2), (0, 0))).reshape(-1, 2, weights.shape[1])
    one_sign = np.maximum(np.maximum(pairs, 0).sum(axis=1), np.maximum(-pairs, 0).sum(axis=1))
    # Rounding may add a half to each of the two.
    needed = np.maximum(np.abs(weights).max(axis=0) / LARGEST_WEIGHT, one_sign.max(axis=0) / (LARGEST_PAIR - 1))
    scales = np.where(needed > 0, needed, 1).astype(np.float32)
    return np.rint(weights / scales).astype(np.int8), scales


class _Graph:
    """A graph whose nodes are replaced one by one."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._producer = {name: node for node in graph.node for name in node.output}
        self._consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self._consumers.setdefault(name, []).append(node)
        self._replaced: dict[str, list[onnx.NodeProto]] = {}
        """New nodes by the first output of the node that they stand in for."""
        self._first: list[onnx.NodeProto] = []
        self._quantized: dict[str, tuple[str, str, str]] = {}

    def is_product(self, node: onnx.NodeProto) -> bool:
        """Whether it is activations times a constant matrix."""
        if node.op_type not in ("MatMul", "Gemm") or node.input[1] not in self._constants:
            return False
        attributes = _attributes(node)
        plain = all(attributes.get(key, 1) == 1 for key in ("alpha", "beta"))
        return plain and not attributes.get("transA") and len(self._constants[node.input[1]].dims) == 2

    def quantize_product(self, node: onnx.NodeProto, low: float, high: float) -> None:
        """Replace MatMul (and the addition of a bias after it) or Gemm."""
        nodes: list[onnx.NodeProto] = []
        values, scale, zero = self._activation(node.input[0], low, high, nodes)
        weights = self._array(node.input[1])
        if _attributes(node).get("transB"):
            weights = weights.T
        name, result = node.output[0], node.output[0]
        bias = node.input[2] if len(node.input) > 2 else ""
        if not bias and (addition := self._bias_addition(name)) is not None:
            bias = next(i for i in addition.input if i != name)
            result = addition.output[0]
            self._replaced[result] = []
        whole, scales = quantize_columns(weights)
        matrix = self._add(f"{name}_weights", whole)
        column_scales = self._add(f"{name}_scales", scales)
        inputs = [values, matrix, scale, column_scales, zero, "", bias]
        nodes.append(
            helper.make_node("MatMulIntegerToFloat", inputs, [result], domain="com.microsoft")
        )
        self._replaced[name] = nodes

    def store_constants_as_int8(self) -> None:
        """Replace each large fp32 constant that is still read by an int8 one, Cast and Mul."""
        for name in sorted(self._read() & self._constants.keys()):
            tensor = self._constants[name]
            if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < SMALLEST:
                continue
            values = numpy_helper.to_array(tensor)
            largest = np.abs(values).max(axis=-1, keepdims=True)
            scale = (np.where(largest > 0, largest, 1) / 127).astype(np.float32)
            whole = self._add(f"{name}_int8", np.rint(values / scale).astype(np.int8))
            scales = self._add(f"{name}_scale", scale)
            self._first.append(
                helper.make_node("Cast", [whole], [f"{name}_cast"], to=TensorProto.FLOAT)
            )
            self._first.append(helper.make_node("Mul", [f"{name}_cast", scales], [name]))
            del self._constants[name]

    def finish(self) -> None:
        """Write the new nodes and constants into the graph, and drop what nothing reads."""
        nodes, read = self._nodes(), self._read()
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        del self._graph.initializer[:]
        self._graph.initializer.extend(t for name, t in self._constants.items() if name in read)

    def _activation(
        self, name: str, low: float, high: float, nodes: list[onnx.NodeProto]
    ) -> tuple[str, str, str]:
        """Names of the uint8 values of an activation, their scale and zero point."""
        producer = self._producer.get(name)
        if producer is not None and producer.op_type == "Cast":
            source = producer.input[0]
            if any(i.name == source and i.type.tensor_type.elem_type == TensorProto.UINT8
                   for i in self._graph.input):  # fmt: skip
                return source, self._add("one", np.float32(1)), self._add("zero", np.uint8(0))
        if name not in self._quantized:
            scale = np.float32(max(high - low, 1e-12) / 255)
            self._quantized[name] = (
                f"{name}_uint8",
                self._add(f"{name}_scale", scale),
                self._add(f"{name}_zero", np.uint8(round(-low / scale))),
            )
            self._quantize(name, name, nodes)
        return self._quantized[name]

    def _quantize(self, name: str, target: str, nodes: list[onnx.NodeProto]) -> str:
        """Add what computes the values of `name` on the scale of `target`; gives their name."""
        _, scale, zero = self._quantized[target]
        result = f"{target}_uint8" if name == target else f"{name}_as_{target}_uint8"
        if any(result in node.output for node in nodes):
            return result
        if name in self._constants:
            whole = np.rint(self._array(name) / self._array(scale)) + self._array(zero)
            return self._add(result, np.clip(whole, 0, 255).astype(np.uint8))
        producer = self._producer.get(name)
        if producer is None or producer.op_type not in MOVES:
            nodes.append(helper.make_node("QuantizeLinear", [name, scale, zero], [result]))
            return result
        count = MOVES[producer.op_type] or len(producer.input)
        moved = [self._quantize(value, target, nodes) for value in producer.input[:count]]
        node = helper.make_node(producer.op_type, [*moved, *producer.input[count:]], [result])
        node.attribute.extend(producer.attribute)
        nodes.append(node)
        return result

    def _bias_addition(self, product: str) -> onnx.NodeProto | None:
        """The Add of a constant vector that is all that reads a product."""
        readers = self._consumers.get(product, [])
        if len(readers) != 1 or readers[0].op_type != "Add":
            return None
        other = next(name for name in readers[0].input if name != product)
        constant = self._constants.get(other)
        return readers[0] if constant is not None and len(constant.dims) == 1 else None

    def _nodes(self) -> list[onnx.NodeProto]:
        """The nodes, old and new, that an output of the graph needs, in order."""
        nodes = list(self._first)
        for node in self._graph.node:
            nodes.extend(self._replaced.get(node.output[0], [node]))
        needed = {output.name for output in self._graph.output}
        kept = []
        for node in reversed(nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                kept.append(node)
        return kept[::-1]

    def _read(self) -> set[str]:
        return {name for node in self._nodes() for name in node.input}

    def _array(self, name: str) -> np.ndarray:
        return numpy_helper.to_array(self._constants[name])

    def _add(self, name: str, values: np.ndarray | np.generic) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(values), name)
        return name


def _folded(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose constant expressions are computed, so that weights are seen as constants."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        source, folded = (str(Path(folder, f"{name}.onnx")) for name in ("source", "folded"))
        onnx.save(model, source)
        quant_pre_process(source, folded, skip_symbolic_shape=True)
        return onnx.load(folded)


def _ranges(
    model: onnx.ModelProto, names: set[str], feeds: Feeds
) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of each tensor over the feeds, 0 included."""
    from edge_sdk.backends.onnx import engine

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    ordered = sorted(names)
    probe.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in ordered)
    session = engine().InferenceSession(
        probe.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    ranges = dict.fromkeys(ordered, (0.0, 0.0))
    for feed in feeds:
        for name, values in zip(ordered, session.run(ordered, dict(feed)), strict=True):
            low, high = ranges[name]
            ranges[name] = min(low, float(values.min())), max(high, float(values.max()))
    return ranges


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}
