"""A torch module as an fp32 ONNX graph that old runtimes read too."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import torch

from export.errors import ExportError
from models.common.export_spec import GraphSpec

OPSET = 18
IR_VERSION = 8  # of onnx 1.13; onnxruntime reads it from 1.14 on
_LARGEST_AXIS = 4096


def to_onnx(spec: GraphSpec) -> onnx.ModelProto:
    """Export the module of `spec` with its dynamic axes named; checked, without debug metadata.

    Raises ExportError (`export_axis`) where an axis came out with a fixed size.
    """
    # torch.export unrolls LSTM and GRU for the length of the example; tracing keeps them whole.
    recurrent = any(isinstance(part, torch.nn.RNNBase) for part in spec.module.modules())
    with _quiet(), torch.no_grad():
        model = clean(_traced(spec) if recurrent else _exported(spec))
    _check_axes(spec, model)
    return model


def _exported(spec: GraphSpec) -> onnx.ModelProto:
    dims = {
        name: torch.export.Dim(name, min=1, max=spec.axis_limits.get(name, _LARGEST_AXIS))
        for axes in spec.dynamic_axes.values()
        for name in axes.values()
    }
    shapes = tuple(
        {axis: dims[name] for axis, name in spec.dynamic_axes.get(key, {}).items()}
        for key in spec.inputs
    )
    program = torch.onnx.export(
        spec.module,
        tuple(spec.inputs.values()),
        dynamo=True,
        opset_version=OPSET,
        input_names=list(spec.inputs),
        output_names=list(spec.outputs),
        dynamic_shapes=shapes,
        external_data=False,
        verbose=False,
    )
    assert program is not None  # the old exporter returns nothing, this one does
    return program.model_proto


def _traced(spec: GraphSpec) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        torch.onnx.export(
            spec.module,
            tuple(spec.inputs.values()),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(spec.inputs),
            output_names=list(spec.outputs),
            dynamic_axes={name: dict(axes) for name, axes in spec.dynamic_axes.items()},
        )
        return onnx.load(path)


def _check_axes(spec: GraphSpec, model: onnx.ModelProto) -> None:
    """A size that the tracer took for a constant would only fail on the device."""
    for value in model.graph.input:
        for axis, name in spec.dynamic_axes.get(value.name, {}).items():
            size = value.type.tensor_type.shape.dim[axis].dim_value
            if size:
                raise ExportError(
                    "export_axis",
                    f"axis {axis} ({name}) of input {value.name} has the fixed size {size} in the graph",
                    "look for Python numbers made from that size in the module's forward()",
                )


def clean(model: onnx.ModelProto) -> onnx.ModelProto:
    """Only what a runtime needs, for runtimes as old as can be; the model is changed in place."""
    model.ir_version = IR_VERSION
    used = {node.domain for node in model.graph.node} | {f.domain for f in model.functions}
    for opset in list(model.opset_import):
        if opset.domain not in used:
            model.opset_import.remove(opset)
    model.producer_version = ""
    model.doc_string = ""
    del model.metadata_props[:]
    # Stale shapes break the quantizer and the checker; the exporter's metadata holds stack
    # traces with the paths of this machine.
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    model.graph.doc_string = ""
    for item in (
        *model.graph.node,
        *model.graph.initializer,
        *model.graph.input,
        *model.graph.output,
    ):
        item.doc_string = ""
        del item.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's warnings about its own internals."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
