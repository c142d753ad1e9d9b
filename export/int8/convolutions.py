"""Convolutions, depthwise ones too, and residual sums, from uint8 to uint8.

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


def is_sum(graph: Graph, node: onnx.NodeProto) -> bool:
    """Whether a node adds the result of a convolution to another activation, as residual blocks do."""
    if node.op_type != "Add" or any(graph.is_constant(name) for name in node.input):
        return False
    producers = [graph.producer(name) for name in node.input]
    return any(producer is not None and is_convolution(graph, producer) for producer in producers)


def result(graph: Graph, node: onnx.NodeProto) -> str:
    """Name of what a convolution or a sum gives, after the ReLU where one follows."""
    follower = graph.only_consumer(node.output[0])
    return follower.output[0] if follower is not None and follower.op_type == "Relu" else node.output[0]


def quantize_convolution(graph: Graph, node: onnx.NodeProto, activations: Activations) -> None:
    """Replace a Conv, and a ReLU after it."""
    nodes: list[onnx.NodeProto] = []
    name, made = node.output[0], _result(graph, node, activations)
    source = activations.quantize(node.input[0], nodes)
    whole, scales = quantize_kernels(graph.array(node.input[1]))
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
    _replace(graph, node, [*nodes, convolution], activations, made)


def quantize_sum(graph: Graph, node: onnx.NodeProto, activations: Activations) -> None:
    """Replace an Add, and a ReLU after it."""
    nodes: list[onnx.NodeProto] = []
    made = _result(graph, node, activations)
    inputs = [part for name in node.input for part in activations.quantize(name, nodes)]
    add = helper.make_node(
        "QLinearAdd", [*inputs, made.scale, made.zero], [made.values], domain="com.microsoft"
    )
    _replace(graph, node, [*nodes, add], activations, made)


def _result(graph: Graph, node: onnx.NodeProto, activations: Activations) -> Quantized:
    name = result(graph, node)
    return Quantized(f"{name}_uint8", *activations.scale(name))


def _replace(
    graph: Graph, node: onnx.NodeProto, nodes: list[onnx.NodeProto], activations: Activations, made: Quantized
) -> None:
    """Put `nodes` in the place of a node and its ReLU, and turn the result back into float32."""
    name, follower = result(graph, node), graph.only_consumer(node.output[0])
    if follower is not None and follower.output[0] == name:
        graph.replace(follower, [])
    activations.know(name, made)
    back = helper.make_node("DequantizeLinear", [made.values, made.scale, made.zero], [name])
    graph.replace(node, [*nodes, back])
