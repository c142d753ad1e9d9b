"""Products of activations with a constant matrix, in integers.

`com.microsoft` operators, which every onnxruntime since 1.2 has: each takes one node, where
standard operators would take four.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from export.int8.activations import Activations
from export.int8.graph import Graph, attributes
from export.int8.weights import quantize_columns


def is_product(graph: Graph, node: onnx.NodeProto) -> bool:
    """Whether a node is activations times a constant matrix."""
    if node.op_type not in ("MatMul", "Gemm") or not graph.is_constant(node.input[1], rank=2):
        return False
    given = attributes(node)
    return all(given.get(key, 1) == 1 for key in ("alpha", "beta")) and not given.get("transA")


def matrix(graph: Graph, node: onnx.NodeProto) -> np.ndarray:
    """The constant float32[K, N] of a product."""
    weights = graph.array(node.input[1])
    return weights.T if attributes(node).get("transB") else weights


def quantize_product(graph: Graph, node: onnx.NodeProto, activations: Activations | None) -> None:
    """Replace a MatMul, with the addition of a bias after it, or a Gemm.

    Without `activations` scales are taken from each tensor anew.
    """
    name, result = node.output[0], node.output[0]
    bias = node.input[2] if len(node.input) > 2 else ""
    addition = graph.only_consumer(name)
    if not bias and addition is not None and addition.op_type == "Add":
        other = next(i for i in addition.input if i != name)
        if graph.is_constant(other, rank=1):
            bias, result = other, addition.output[0]
            graph.replace(addition, [])
    whole, scales = quantize_columns(matrix(graph, node))
    weights, steps = graph.add(f"{name}_weights", whole), graph.add(f"{name}_scales", scales)
    nodes: list[onnx.NodeProto] = []
    if activations is None:
        kind, inputs = "DynamicQuantizeMatMul", [node.input[0], weights, steps, "", bias]
    else:
        values, scale, zero = activations.quantize(node.input[0], nodes)
        kind, inputs = "MatMulIntegerToFloat", [values, weights, scale, steps, zero, "", bias]
    nodes.append(helper.make_node(kind, inputs, [result], domain="com.microsoft"))
    graph.replace(node, nodes)
