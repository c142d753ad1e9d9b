"""From an ExportSpec to a bundle on the disk: graphs, stages, guard, self-test, card, file."""

from __future__ import annotations

import hashlib
import json
import platform
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx

from edge_sdk import __version__
from edge_sdk.backends import session_factory
from edge_sdk.backends.base import SessionFactory
from edge_sdk.bundle import Bundle, write_bundle
from edge_sdk.loading import load
from export.int8 import to_int8
from export.model_card import model_card
from export.selftest import record_selftest
from export.stages import Stage, check_guard, report_stages
from export.torch_session import torch_sessions
from export.torch_to_onnx import to_onnx
from models.common.export_spec import ExportSpec

Graphs = Mapping[str, onnx.ModelProto]


def export(
    spec: ExportSpec,
    out: Path,
    *,
    precision: str = "int8",
    progress: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """Write the bundle of `spec` to `out` and return its report, the content of `report.json`.

    `out` is only touched at the very end, in one step: on any error, a full disk or Ctrl-C an old
    file stays whole. Raises ExportError (`export_guard`) where quantization loses too much, and
    EdgeErrors of the parts.
    """
    progress("torch to ONNX fp32")
    graphs: Graphs = {name: to_onnx(graph) for name, graph in spec.graphs.items()}
    versions = {"fp32": graphs}
    if precision == "int8":
        progress("ONNX fp32 to int8")
        graphs = versions["int8"] = to_int8(graphs, spec.graphs)
    with tempfile.TemporaryDirectory() as folder:
        stages = _stages(spec, versions, Path(folder))
        report = _report(spec, report_stages(spec, stages, progress))
        check_guard(spec, report["stages"])
        progress("recording the self-test")
        with load(stages[-1].path, backend="onnx") as task:
            selftest = record_selftest(task, spec.selftest_inputs, precision)
    files = {
        **_files(spec, graphs),
        "selftest.json": selftest,
        "report.json": _json(report),
        "MODEL_CARD.md": model_card(spec, report),
    }
    write_bundle(out, {**_manifest(spec, graphs, precision), "metrics": _metrics(report)}, files)
    return report


def _stages(spec: ExportSpec, versions: Mapping[str, Graphs], folder: Path) -> list[Stage]:
    """Torch, then each version of the graphs in a bundle that the runtime can load."""
    stages: list[Stage] = []
    for precision, graphs in versions.items():
        path = folder / f"{precision}.edge"
        manifest = {**_manifest(spec, graphs, precision), "metrics": {}}
        write_bundle(path, manifest, _files(spec, graphs))
        if not stages:
            stages.append(Stage("torch fp32", path, None, partial(torch_sessions, spec)))
        size = sum(graph.ByteSize() for graph in graphs.values())
        stages.append(Stage(f"onnx {precision}", path, size, _onnx_sessions))
    return stages


def _onnx_sessions(bundle: Bundle) -> SessionFactory:
    return session_factory(bundle, "onnx", threads=1)


def _files(spec: ExportSpec, graphs: Graphs) -> dict[str, bytes]:
    serialized = {f"{name}.onnx": graph.SerializeToString() for name, graph in graphs.items()}
    return {**serialized, **spec.files}


def _manifest(spec: ExportSpec, graphs: Graphs, precision: str) -> dict[str, Any]:
    """The manifest without `metrics`, `format_version` and `files`."""
    return {
        "min_runtime": __version__,
        "name": spec.name,
        "version": spec.version,
        "task": spec.task,
        "language": spec.language,
        "licence": spec.licence,
        "training_data": spec.training_data,
        "pipeline": spec.pipeline,
        "graphs": {
            "onnx": {
                name: {
                    "file": f"{name}.onnx",
                    "precision": precision,
                    "inputs": [_tensor(value) for value in model.graph.input],
                    "outputs": [_tensor(value) for value in model.graph.output],
                    "opset": max(o.version for o in model.opset_import if o.domain == ""),
                    "ir_version": model.ir_version,
                }
                for name, model in graphs.items()
            }
        },
        "examples": list(spec.examples),
    }


def _tensor(value: onnx.ValueInfoProto) -> dict[str, Any]:
    tensor = value.type.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
    shape = [axis.dim_param or axis.dim_value for axis in tensor.shape.dim]
    return {"name": value.name, "dtype": dtype, "shape": shape}


def _report(spec: ExportSpec, stages: list[dict[str, Any]]) -> dict[str, Any]:
    guard = spec.guard
    return {
        "stages": stages,
        "guard": guard
        and {
            "data": {
                "file": guard.data.name,
                "sha256": hashlib.sha256(guard.data.read_bytes()).hexdigest(),
            },
            "metric": guard.metric,
            "max_loss": guard.max_loss,
        },
        "machine": platform.machine(),
        "versions": {name: version(name) for name in ("torch", "onnx", "onnxruntime", "numpy")},
        "training": dict(spec.training),
    }


def _metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's summary: metrics of each precision, and on which data."""
    if report["guard"] is None:
        return {}
    precisions = {
        stage["stage"].removeprefix("onnx "): stage["metrics"]
        for stage in report["stages"]
        if stage["stage"].startswith("onnx ")
    }
    return {"data": report["guard"]["data"], **precisions}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1).encode("utf-8")
