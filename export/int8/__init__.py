"""fp32 ONNX graphs in 8 bits: int8 weights everywhere, int8 arithmetic where it pays.

Which operators are computed in 8 bits and how is told by the modules of this package, one a kind
of operator: products, convolutions, recurrent, tables (with all other constants). Weights have one
scale a column (weights.py), activations one scale each, for good (activations.py), unless the graph
asks for `dynamic` ones. Norms, softmax, activation functions and sums stay float32: they cost
little, and they are where 8 bits lose most.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import onnx
from onnx import helper

from export.int8.activations import Activations, Feeds, measure_ranges
from export.int8.convolutions import (
    is_convolution,
    is_sum,
    quantize_convolution,
    quantize_sum,
)
from export.int8.convolutions import result as convolved
from export.int8.graph import Graph
from export.int8.products import is_product, matrix, quantize_product
from export.int8.recurrent import is_lstm, quantize_lstm
from export.int8.tables import digest, is_lookup, quantize_lookup, store_constants
from export.torch_to_onnx import clean
from models.common.export_spec import GraphSpec

SMALLEST = 1024
"""Constants with fewer elements stay fp32: little to win, and biases and norms need the range."""


def to_int8(models: Mapping[str, onnx.ModelProto], specs: Mapping[str, GraphSpec]) -> dict[str, onnx.ModelProto]:
    """The 8-bit versions of a bundle's fp32 graphs, which stay as they are.

    The feeds in `GraphSpec.calibration` are real inputs; values beyond those seen there are
    clipped, unless the graph's `activations` are "dynamic". Graphs are quantized together because
    a table that one of them looks up may be the matrix of another's product.
    """
    folded = {name: _folded(model) for name, model in models.items()}
    tied = {
        digest(matrix(graph, node).T)
        for graph in (Graph(model.graph) for model in folded.values())
        for node in graph.original
        if is_product(graph, node)
    }
    for name, model in folded.items():
        spec = specs[name]
        graph = Graph(model.graph)
        activations = None
        if spec.activations == "fixed":
            activations = Activations(graph, _ranges(model, graph, spec.calibration))
        for node in graph.original:
            if is_product(graph, node):
                quantize_product(graph, node, activations)
            elif is_convolution(graph, node) and activations is not None:
                quantize_convolution(graph, node, activations)
            elif is_sum(graph, node) and activations is not None:
                quantize_sum(graph, node, activations)
            elif is_lstm(graph, node):
                quantize_lstm(graph, node)
            elif is_lookup(graph, node) and graph.array(node.input[0]).size >= SMALLEST:
                quantize_lookup(graph, node, tied)
        store_constants(graph, SMALLEST)
        graph.finish()
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
        clean(model)
    return folded


def _ranges(model: onnx.ModelProto, graph: Graph, feeds: Feeds) -> dict[str, tuple[float, float]]:
    """Ranges of all that 8-bit operators read or give in 8 bits."""
    names: set[str] = set()
    for node in graph.original:
        if is_product(graph, node):
            names.add(node.input[0])
        elif is_convolution(graph, node):
            names.update((node.input[0], convolved(graph, node)))
        elif is_sum(graph, node):
            names.update((*node.input, convolved(graph, node)))
    return measure_ranges(model, names, feeds)


def _folded(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose constant expressions are computed, so that weights are seen as constants."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        source, folded = (str(Path(folder, f"{name}.onnx")) for name in ("source", "folded"))
        onnx.save(model, source)
        quant_pre_process(source, folded, skip_symbolic_shape=True)
        return onnx.load(folded)
