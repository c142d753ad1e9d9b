"""From an ExportSpec to a bundle on the disk: graphs, stages, guard, self-test, card, file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from edge_sdk import __version__
from edge_sdk.backends import session_factory
from edge_sdk.backends.base import SessionFactory
from edge_sdk.bundle import Bundle, write_bundle
from export.engines import Version, versions
from export.model_card import model_card
from export.selftest import record_selftest
from export.stages import Stage, check_drift, check_guard, report_stages
from export.torch_session import torch_sessions
from models.common.export_spec import ExportSpec


def export(
    spec: ExportSpec,
    out: Path,
    *,
    precision: str = "int8",
    engines: Sequence[str] = ("onnx",),
    progress: Callable[[str], None] = lambda message: None,
) -> dict[str, Any]:
    """Write the bundle of `spec` to `out` and return its report, the content of `report.json`.

    `out` is only touched at the very end, in one step: on any error, a full disk or Ctrl-C an old
    file stays whole. Raises ExportError (`export_guard`) where quantization loses too much,
    `export_drift` where a stage computes something else, and EdgeErrors of the parts.
    """
    made = versions(spec, precision, engines, progress)
    with tempfile.TemporaryDirectory() as folder:
        stages = _stages(spec, made, Path(folder))
        report = _report(spec, report_stages(spec, stages, progress))
        check_guard(spec, report["stages"])
        check_drift(report["stages"])
        progress("recording the self-test")
        shipped = [version for version in made if version.precision == precision]
        bundles = {stage.name: stage.path for stage in stages}
        selftest = record_selftest(
            {version.engine: bundles[version.stage] for version in shipped}, spec.selftest_inputs, precision
        )
    files = {
        **_files(spec, shipped),
        "selftest.json": selftest,
        "report.json": _json(report),
        "MODEL_CARD.md": model_card(spec, report),
    }
    write_bundle(out, {**_manifest(spec, shipped), "metrics": _metrics(report)}, files)
    return report


def _stages(spec: ExportSpec, made: Sequence[Version], folder: Path) -> list[Stage]:
    """Torch, then each version of the graphs in a bundle that the runtime can load."""
    stages: list[Stage] = []
    for version in made:
        path = folder / f"{version.engine}-{version.precision}.edge"
        write_bundle(path, {**_manifest(spec, [version]), "metrics": {}}, _files(spec, [version]))
        if not stages:
            torch_graphs = partial(torch_sessions, spec, version.engine)
            stages.append(Stage("torch fp32", path, None, torch_graphs))
        size = sum(map(len, version.graphs.values()))
        stages.append(Stage(version.stage, path, size, partial(_sessions, version.engine)))
    return stages


def _sessions(engine: str, bundle: Bundle) -> SessionFactory:
    return session_factory(bundle, engine, threads=1)


def _files(spec: ExportSpec, made: Sequence[Version]) -> dict[str, bytes]:
    graphs = {name: data for version in made for name, data in version.files.items()}
    return {**graphs, **spec.files}


def _manifest(spec: ExportSpec, made: Sequence[Version]) -> dict[str, Any]:
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
        "graphs": {version.engine: version.manifest for version in made},
        "examples": list(spec.examples),
    }


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
        "versions": _installed(),
        "training": dict(spec.training),
    }


def _installed() -> dict[str, str]:
    names = ("torch", "onnx", "onnxruntime", "numpy", "litert-torch", "ai-edge-quantizer", "ai-edge-litert")
    found = {}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _metrics(report: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest's summary: metrics of each precision, and on which data."""
    if report["guard"] is None:
        return {}
    measured = {
        stage["stage"].removeprefix("onnx ").replace(" ", "-"): stage["metrics"]
        for stage in report["stages"]
        if not stage["stage"].startswith("torch ")
    }
    return {"data": report["guard"]["data"], **measured}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1).encode("utf-8")
