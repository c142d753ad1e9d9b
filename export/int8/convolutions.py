"""Convolutions, depthwise ones too, from uint8 to uint8 (`QLinearConv`).

What follows them in 8 bits reads their result as it is; a ReLU after one is only the lower end of
its result's range.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from export.int8.activations import Activations, Quantized
from export.int8.graph import Graph
from export.int8.weights import quantize_kernels

SMALLEST = 1024
"""Kernels with fewer weights stay float32: quantizing what goes in would cost more."""


def is_convolution(graph: Graph, node: onnx.NodeProto) -> bool:
    """Whether a node is a convolution of an image with constant kernels."""
    return (
        node.op_type == "Conv"
        and graph.is_constant(node.input[1], rank=4)
        and graph.array(node.input[1]).size >= SMALLEST
        and (len(node.input) < 3 or graph.is_constant(node.input[2]))
    )


def result(graph: Graph, node: onnx.NodeProto) -> str:
    """Name of what a convolution gives, after the ReLU where one follows."""
    follower = graph.only_consumer(node.output[0])
    return follower.output[0] if follower is not None and follower.op_type == "Relu" else node.output[0]


def quantize_convolution(graph: Graph, node: onnx.NodeProto, activations: Activations) -> None:
    """Replace a Conv, and a ReLU after it."""
    nodes: list[onnx.NodeProto] = []
    name, values = node.output[0], result(graph, node)
    source = activations.quantize(node.input[0], nodes)
    whole, scales = quantize_kernels(graph.array(node.input[1]))
    made = Quantized(f"{values}_uint8", *activations.scale(values))
    inputs = [
        *(source.values, source.scale, source.zero),
        graph.add(f"{name}_weights", whole),
        graph.add(f"{name}_scales", scales),
        graph.add(f"{name}_zeros", np.zeros(len(scales), np.int8)),
        *(made.scale, made.zero),
    ]
    if len(node.input) > 2:
        steps = scales.astype(np.float64) * graph.array(source.scale)
        inputs.append(graph.add(f"{name}_bias", np.rint(graph.array(node.input[2]) / steps).astype(np.int32)))
    convolution = helper.make_node("QLinearConv", inputs, [made.values])
    convolution.attribute.extend(node.attribute)
    back = helper.make_node("DequantizeLinear", [made.values, made.scale, made.zero], [values])
    if values != name:
        graph.replace(graph.only_consumer(name), [])
    activations.know(values, made)
    graph.replace(node, [*nodes, convolution, back])
