"""The graphs of a spec for each inference engine, at each precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx

from export import int8, tflite_file
from export.errors import ExportError
from export.torch_to_onnx import to_onnx
from export.torch_to_tflite import signatures, to_tflite
from models.common.export_spec import ExportSpec


@dataclass(frozen=True)
class Version:
    """All graphs of a bundle for one engine at one precision."""

    engine: str
    precision: str
    graphs: Mapping[str, bytes]
    """By the graph's name."""
    manifest: Mapping[str, Mapping[str, Any]]
    """The graphs' sections of the manifest."""

    @property
    def stage(self) -> str:
        """Its name in the report, e.g. "onnx int8"."""
        return f"{self.engine} {self.precision}"

    @property
    def files(self) -> dict[str, bytes]:
        """The graphs by member name."""
        return {self.manifest[name]["file"]: data for name, data in self.graphs.items()}


def versions(
    spec: ExportSpec, precision: str, engines: Sequence[str], progress: Callable[[str], None]
) -> list[Version]:
    """For each engine fp32, then `precision` where that is another.

    Raises ExportError: `export_sizes` where a graph cannot be one of fixed shapes, and those of the
    converters.
    """
    if "litert" in engines:
        _check_sizes(spec)
    progress("torch to ONNX fp32")
    fp32 = {name: to_onnx(graph) for name, graph in spec.graphs.items()}
    shapes = {name: _tensors(model) for name, model in fp32.items()}
    made = []
    if "onnx" in engines:
        made.append(_onnx("fp32", fp32))
        if precision == "int8":
            progress("ONNX fp32 to int8")
            made.append(_onnx("int8", int8.to_int8(fp32, spec.graphs)))
    if "litert" in engines:
        progress("torch to TFLite fp32")
        graphs = {name: to_tflite(graph) for name, graph in spec.graphs.items()}
        made.append(_litert(spec, "fp32", graphs, shapes))
        if precision == "int8":
            progress("TFLite fp32 to int8")
            small = {name: tflite_file.to_int8(graph) for name, graph in graphs.items()}
            made.append(_litert(spec, "int8", small, shapes))
    return made


def _onnx(precision: str, models: Mapping[str, onnx.ModelProto]) -> Version:
    manifest = {
        name: {
            "file": f"{name}.onnx",
            "precision": precision,
            **_tensors(model),
            "opset": max(o.version for o in model.opset_import if o.domain == ""),
            "ir_version": model.ir_version,
        }
        for name, model in models.items()
    }
    return Version("onnx", precision, {n: m.SerializeToString() for n, m in models.items()}, manifest)


def _litert(
    spec: ExportSpec, precision: str, graphs: Mapping[str, bytes], shapes: Mapping[str, dict[str, Any]]
) -> Version:
    manifest = {
        name: {
            "file": f"{name}.tflite",
            "precision": precision,
            **shapes[name],
            "signatures": signatures(spec.graphs[name]),
        }
        for name in graphs
    }
    return Version("litert", precision, graphs, manifest)


def _check_sizes(spec: ExportSpec) -> None:
    """All axes have sizes but that of rows, which is the first."""
    for name, graph in spec.graphs.items():
        for tensor in graph.inputs:
            for place, axis in graph.dynamic_axes.get(tensor, {}).items():
                if place and axis not in graph.sizes:
                    raise ExportError(
                        "export_sizes",
                        f"graph {name}: axis {place} ({axis}) of {tensor} has no sizes",
                        "state them in GraphSpec.sizes, if padding with zeros changes nothing; or "
                        "export for --engines onnx only",
                    )


def _tensors(model: onnx.ModelProto) -> dict[str, Any]:
    return {
        "inputs": [_tensor(value) for value in model.graph.input],
        "outputs": [_tensor(value) for value in model.graph.output],
    }


def _tensor(value: onnx.ValueInfoProto) -> dict[str, Any]:
    tensor = value.type.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    shape = [axis.dim_param or axis.dim_value for axis in tensor.shape.dim]
    return {"name": value.name, "dtype": dtype, "shape": shape}
