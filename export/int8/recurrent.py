"""LSTM layers in 8 bits: `com.microsoft.DynamicQuantizeLSTM`.

The operator takes the scales of its input and of its state anew at every step, over the whole
batch; onnxruntime has none with fixed scales, and none at all for GRU, whose weights are only stored
in 8 bits.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from export.int8.graph import Graph
from export.int8.weights import quantize_columns


def is_lstm(graph: Graph, node: onnx.NodeProto) -> bool:
    """Whether a node is an LSTM with constant weights."""
    return node.op_type == "LSTM" and all(graph.is_constant(name, rank=3) for name in node.input[1:3])


def quantize_lstm(graph: Graph, node: onnx.NodeProto) -> None:
    """Replace an LSTM; its inputs W and R [directions, 4 * hidden, K] become [directions, K, 4 * hidden]."""
    name = node.output[0] or next(filter(None, node.output))
    inputs = [*node.input, *[""] * (8 - len(node.input))]
    quantization = []
    for i, kind in ((1, "input"), (2, "state")):
        pairs = [quantize_columns(weights.T) for weights in graph.array(inputs[i])]
        whole, scales = (np.stack(parts) for parts in zip(*pairs))
        inputs[i] = graph.add(f"{name}_{kind}_weights", whole)
        zero = graph.add(f"{name}_zeros", np.zeros(scales.shape, np.int8))
        quantization += [graph.add(f"{name}_{kind}_scales", scales), zero]
    new = helper.make_node(
        "DynamicQuantizeLSTM", [*inputs, *quantization], node.output, domain="com.microsoft"
    )
    new.attribute.extend(a for a in node.attribute if a.name != "layout")
    graph.replace(node, [new])
