"""An fp32 ONNX graph in 8 bits: int8 weights everywhere, int8 arithmetic where it pays.

- Products of activations with a constant matrix become `MatMulInteger` with dynamically quantized
  activations (onnxruntime fuses the pieces into one node).
- Every other large constant, such as token-mixing weights that the graph slices to the length of
  the input, is stored as int8 with one scale a row or column and turned back into fp32 by
  `Cast` and `Mul`. Both work on constants, so engines do that once, at load. At 8 tokens these
  products are too small for int8 arithmetic to win back the cost of quantizing what goes in.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from export.torch_to_onnx import clean

SMALLEST = 1024
"""Constants with fewer elements stay fp32: little to win, and biases and norms need the range."""


def to_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """The 8-bit version of an fp32 graph, which stays as it is."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        source, prepared, quantized = (str(Path(folder, f"{n}.onnx")) for n in ("a", "b", "c"))
        onnx.save(model, source)
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        graph = onnx.load(prepared)
        del graph.graph.value_info[:]
        quantize_dynamic(
            graph,
            quantized,
            op_types_to_quantize=["MatMul", "Gemm"],
            weight_type=QuantType.QInt8,  # uint8 weights are 1.4 times slower on x86
            per_channel=True,
        )
        result = onnx.load(quantized)
    _store_as_int8(result.graph)
    return clean(result)


def _store_as_int8(graph: onnx.GraphProto) -> None:
    """Replace each large fp32 constant by an int8 one, Cast and Mul."""
    nodes = []
    for tensor in list(graph.initializer):
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < SMALLEST:
            continue
        values = numpy_helper.to_array(tensor)
        # One scale for each place on the last axis but one keeps rows of different size apart.
        largest = np.abs(values).max(axis=-1, keepdims=True)
        scale = (np.where(largest > 0, largest, 1) / 127).astype(np.float32)
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.append(
            numpy_helper.from_array(np.rint(values / scale).astype(np.int8), f"{name}_int8")
        )
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}_scale"))
        nodes.append(
            onnx.helper.make_node(
                "Cast", [f"{name}_int8"], [f"{name}_cast"], to=onnx.TensorProto.FLOAT
            )
        )
        nodes.append(onnx.helper.make_node("Mul", [f"{name}_cast", f"{name}_scale"], [name]))
    for node in reversed(nodes):
        graph.node.insert(0, node)
