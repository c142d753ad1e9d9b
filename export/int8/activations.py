"""Activations as uint8, with one scale for good from the range that real inputs show.

With scales taken anew from every tensor a result would depend on the other rows of its batch.
Activations are quantized before they are gathered, cut or joined rather than after: tables of
embeddings become tables of the very integers that a product takes, a quarter as large.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper

from export.int8.graph import Graph

MOVES = {"Concat": None, "Gather": 1, "Reshape": 1, "Slice": 1, "Transpose": 1, "Unsqueeze": 1}
"""Operators that only move values, and how many of their inputs are values (None: all)."""

Feeds = Sequence[Mapping[str, np.ndarray]]


class Quantized(NamedTuple):
    """Names of an activation's uint8 values, of their float32 scale and of their zero point."""

    values: str
    scale: str
    zero: str


class Activations:
    """The quantized versions of a graph's activations, each made once."""

    def __init__(self, graph: Graph, ranges: Mapping[str, tuple[float, float]]) -> None:
        self._graph = graph
        self._ranges = ranges
        self._made: dict[str, Quantized] = {}

    def quantize(self, name: str, nodes: list[onnx.NodeProto]) -> Quantized:
        """The activation `name` in 8 bits; what computes it is added to `nodes` the first time."""
        if name in self._made:
            return self._made[name]
        producer = self._graph.producer(name)
        if producer is not None and producer.op_type == "Cast" and self._is_uint8(producer.input[0]):
            one, zero = self._graph.add("one", np.float32(1)), self._graph.add("zero", np.uint8(0))
            return Quantized(producer.input[0], one, zero)
        made = self._made[name] = Quantized(f"{name}_uint8", *self.scale(name))
        self._move(name, made, made.values, nodes)
        return made

    def scale(self, name: str) -> tuple[str, str]:
        """Names of the scale and the zero point of an activation."""
        low, high = self._ranges[name]
        step = np.float32(max(high - low, 1e-12) / 255)
        zero = np.uint8(round(-low / step))
        return self._graph.add(f"{name}_scale", step), self._graph.add(f"{name}_zero", zero)

    def know(self, name: str, quantized: Quantized) -> None:
        """Take note that `name` is computed in 8 bits anyway."""
        self._made[name] = quantized

    def _is_uint8(self, name: str) -> bool:
        """Whether a tensor is an input of bytes, or such an input cut, reshaped or transposed."""
        producer = self._graph.producer(name)
        if producer is None:
            return self._graph.input_type(name) == TensorProto.UINT8
        count = MOVES.get(producer.op_type, 0)
        return count != 0 and all(self._is_uint8(source) for source in producer.input[:count])

    def _move(self, name: str, scale: Quantized, result: str, nodes: list[onnx.NodeProto]) -> str:
        """Add what computes the values of `name` on a scale under the name `result`; gives that."""
        if any(result in node.output for node in nodes):
            return result
        if self._graph.is_constant(name):
            step, zero = self._graph.array(scale.scale), self._graph.array(scale.zero)
            whole = np.rint(self._graph.array(name) / step) + zero
            return self._graph.add(result, np.clip(whole, 0, 255).astype(np.uint8))
        producer = self._graph.producer(name)
        kind = producer.op_type if producer is not None else ""
        if producer is not None and kind == "Relu" and self._graph.array(scale.zero) == 0:
            # Nothing below 0 can be told on this scale, so quantizing is the ReLU.
            return self._move(producer.input[0], scale, result, nodes)
        if producer is None or kind not in MOVES:
            nodes.append(helper.make_node("QuantizeLinear", [name, scale.scale, scale.zero], [result]))
            return result
        count = MOVES[kind] or len(producer.input)
        moved = [
            self._move(value, scale, f"{value}_in_{scale.values}", nodes) for value in producer.input[:count]
        ]
        node = helper.make_node(kind, [*moved, *producer.input[count:]], [result])
        node.attribute.extend(producer.attribute)
        nodes.append(node)
        return result


def measure_ranges(
    model: onnx.ModelProto, names: Iterable[str], feeds: Feeds
) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of each tensor over the feeds, 0 included."""
    from edge_sdk.backends.onnx import engine

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    ordered = sorted(set(names))
    if not ordered:
        return {}  # asked for nothing, the engine would give every output
    outputs = {output.name for output in model.graph.output}
    probe.graph.output.extend(
        helper.make_empty_tensor_value_info(name) for name in ordered if name not in outputs
    )
    session = engine().InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges = dict.fromkeys(ordered, (0.0, 0.0))
    for feed in feeds:
        for name, values in zip(ordered, session.run(ordered, dict(feed)), strict=True):
            low, high = ranges[name]
            ranges[name] = (
                min(low, float(values.min(initial=0))), max(high, float(values.max(initial=0)))
            )  # fmt: skip
    return ranges
