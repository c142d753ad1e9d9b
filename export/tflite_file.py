"""The TFLite flatbuffer itself: names, and weights in 8 bits."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SMALLEST = 1025
"""Weights with fewer elements stay fp32: quantizing what goes in would cost more than it wins. With
token mixing for up to 16 tokens in fp32 a tagger takes .137 ms at 8 tokens, and .203 without."""


def name_signatures(model: bytes, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """The same model with these names of inputs and outputs, in the order of the torch module's."""
    schema, tree = _parse(model)
    for signature in tree.signatureDefs:
        for maps, names in ((signature.inputs, inputs), (signature.outputs, outputs)):
            # "args_3" or "output_1": the number is the place in the module's own order.
            for entry in maps:
                entry.name = names[int(entry.name.rpartition(b"_")[2])].encode()
    return _pack(schema, tree)


def to_int8(model: bytes) -> bytes:
    """Weights in 8 bits, one scale a tensor; scales of activations are taken from each tensor anew.

    One scale a channel would be 2 to 3 dB more exact, and no faster; but tflite-runtime, the only
    one for 32-bit ARM, computes such graphs wrong. Depthwise convolutions are the other way round:
    with one scale LiteRT computes them wrong.
    """
    from ai_edge_quantizer import qtyping, quantizer

    with quiet(), tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "fp32.tflite"), Path(folder, "int8.tflite")
        source.write_bytes(model)
        quantization = quantizer.Quantizer(str(source))
        operations, scales = qtyping.TFLOperationName, qtyping.QuantGranularity
        for operation, granularity in (
            (operations.ALL_SUPPORTED, scales.TENSORWISE),
            (operations.DEPTHWISE_CONV_2D, scales.CHANNELWISE),
        ):
            quantization.update_quantization_recipe(
                regex=".*",
                operation_name=operation,
                op_config=qtyping.OpQuantizationConfig(
                    weight_tensor_config=qtyping.TensorQuantizationConfig(
                        num_bits=8, symmetric=True, granularity=granularity, dtype=qtyping.TensorDataType.INT
                    ),
                    compute_precision=qtyping.ComputePrecision.INTEGER,
                    min_weight_elements=SMALLEST,
                ),
            )
        quantization.quantize().export_model(str(target))
        return _pack(*_parse(target.read_bytes()))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the converters' progress: standard output is the caller's."""
    disabled = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(disabled)


def _parse(model: bytes) -> tuple[Any, Any]:
    """The schema's module and the model as a tree of objects, without what no runtime needs.

    Names of tensors, a fifth of the file, become numbers (the quantizer wants them to be unique).
    Weights come inside the flatbuffer: older runtimes do not know the newer place behind it.
    """
    from ai_edge_litert import schema_py_generated as schema

    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    for buffer in tree.buffers:
        if buffer.offset > 1:
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    tree.metadata = [entry for entry in tree.metadata or [] if entry.name == b"min_runtime_version"]
    tree.description = b""
    for number, tensor in enumerate(tensor for graph in tree.subgraphs for tensor in graph.tensors):
        tensor.name = str(number).encode()
    return schema, tree


def _pack(schema: Any, tree: Any) -> bytes:
    import flatbuffers

    class Aligned(schema.BufferT):
        """A buffer whose data begins at a multiple of 16 bytes, as engines want it: the generated
        code forgets the schema's `force_align`."""

        def Pack(self, builder: Any) -> int:
            place = None
            if self.data is not None and len(self.data):
                builder.StartVector(1, len(self.data), 16)
                builder.head -= len(self.data)
                builder.Bytes[builder.head : builder.head + len(self.data)] = bytes(self.data)
                place = builder.EndVector()
            schema.BufferStart(builder)
            if place is not None:
                schema.BufferAddData(builder, place)
            return schema.BufferEnd(builder)

    for buffer in tree.buffers:
        buffer.__class__ = Aligned
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())
