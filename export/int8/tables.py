"""Tables of embeddings in 8 bits: only the rows that are looked up become float32 again.

A table that is also the matrix of a product (tied input and output embeddings) is stored once, in
the layout of the product, and its rows are gathered as columns: 10 ns a value instead of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet

import numpy as np
import onnx
from onnx import TensorProto, helper

from export.int8.graph import Graph, attributes
from export.int8.weights import quantize_columns, quantize_rows

RECURRENT = ("LSTM", "DynamicQuantizeLSTM", "GRU", "RNN")
"""Operators whose biases, input 3, are matrices."""


def is_lookup(graph: Graph, node: onnx.NodeProto) -> bool:
    """Whether a node gathers rows of a constant matrix."""
    if node.op_type != "Gather" or not graph.is_constant(node.input[0], rank=2):
        return False
    return attributes(node).get("axis", 0) == 0


def digest(table: np.ndarray) -> bytes:
    """Stands for a matrix's values."""
    return hashlib.sha256(table.tobytes()).digest()


def quantize_lookup(graph: Graph, node: onnx.NodeProto, tied: AbstractSet[bytes]) -> None:
    """Replace a Gather; `tied` holds the digests of the tables that products use, transposed."""
    table, rows, name = graph.array(node.input[0]), node.input[1], node.output[0]
    gathered = f"{name}_int8"
    if digest(table) in tied:
        whole, scales = quantize_columns(table.T)
        columns = f"{name}_columns"
        # onnxruntime knows no ranks here, so the values' axis is found by flattening the rest.
        nodes = [
            helper.make_node("Reshape", [rows, graph.add("all", np.array([-1]))], [f"{name}_flat"]),
            helper.make_node("Gather", [graph.add(f"{name}_table", whole), f"{name}_flat"], [columns], axis=1),
            helper.make_node("Transpose", [columns], [f"{name}_rows"], perm=[1, 0]),
            helper.make_node("Shape", [rows], [f"{name}_shape"]),
            helper.make_node("Concat", [f"{name}_shape", graph.add("width", np.array([table.shape[1]]))],
                             [f"{name}_sizes"], axis=0),
            helper.make_node("Reshape", [f"{name}_rows", f"{name}_sizes"], [gathered]),
        ]  # fmt: skip
    else:
        whole, scales = quantize_rows(table)
        nodes = [helper.make_node("Gather", [graph.add(f"{name}_table", whole), rows], [gathered])]
    steps = graph.add(f"{name}_scales", scales.reshape(-1, 1))
    nodes += [
        helper.make_node("Gather", [steps, rows], [f"{name}_steps"]),
        helper.make_node("Cast", [gathered], [f"{name}_cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}_cast", f"{name}_steps"], [name]),
    ]
    graph.replace(node, nodes)


def store_constants(graph: Graph, smallest: int) -> None:
    """Store each large float32 constant that is still read as int8, with `Cast` and `Mul` after it.

    Engines compute these once, at load. Such constants are weights that the graph cuts to the length
    of its input, or that belong to operators without an 8-bit version.
    """
    biases = {name for node in graph.nodes() if node.op_type in RECURRENT for name in node.input[3:4]}
    for name in graph.constants_read():
        if not graph.is_constant(name) or name in biases:
            continue
        values = graph.array(name)
        if values.size < smallest or values.ndim < 2:
            continue
        whole, scales = quantize_rows(values)
        cast = helper.make_node(
            "Cast", [graph.add(f"{name}_int8", whole)], [f"{name}_cast"], to=TensorProto.FLOAT
        )
        multiply = helper.make_node("Mul", [f"{name}_cast", graph.add(f"{name}_scale", scales)], [name])
        graph.prepend(cast, multiply)
        graph.remove_constant(name)
