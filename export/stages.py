"""The stages of a model on its way to the bundle, and how far each is from the first.

torch fp32 -> ONNX fp32 -> ONNX int8 -> TFLite fp32 -> TFLite int8. A stage is measured twice: its graphs' outputs on real
inputs against torch's, and the task's own metric on labelled rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from edge_sdk.backends.base import SessionFactory
from edge_sdk.bundle import Bundle
from edge_sdk.evaluate import evaluate
from edge_sdk.tasks import task_class
from export.errors import ExportError
from models.common.export_spec import ExportSpec, Guard

LEAST_DB = {"fp32": 60.0, "int8": 15.0}
"""Least signal-to-noise ratio against torch of a stage of this precision. 15 dB is a cosine of .984."""


@dataclass(frozen=True)
class Stage:
    """A bundle that the runtime can load, and on what its graphs run at this stage."""

    name: str
    """"torch fp32", or engine and precision, e.g. "onnx int8"."""
    path: Path
    graph_bytes: int | None
    """None for torch."""
    sessions: Callable[[Bundle], SessionFactory]


def report_stages(
    spec: ExportSpec, stages: list[Stage], progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """One JSON object a stage: name, size in bytes, median milliseconds that the graphs take for
    a calibration input (one thread, this machine), drift of every output against the first
    stage, metrics."""
    reports = []
    reference: dict[str, list[np.ndarray]] = {}
    for stage in stages:
        progress(f"measuring {stage.name}")
        with Bundle.open(stage.path) as bundle:
            outputs, milliseconds = _outputs(spec, stage.sessions(bundle))
        reference = reference or outputs
        metrics = _metrics(stage, spec.guard) if spec.guard else {}
        if spec.guard:
            progress(f"{stage.name}: {spec.guard.metric} {metrics[spec.guard.metric]:.2f}")
        reports.append(
            {
                "stage": stage.name,
                "graph_bytes": stage.graph_bytes,
                "p50_ms": milliseconds,
                "drift": {name: _drift(outputs[name], reference[name]) for name in outputs},
                "metrics": metrics,
            }
        )
    return reports


def check_guard(spec: ExportSpec, reports: list[dict[str, Any]]) -> None:
    """Raises ExportError (`export_guard`) where a stage lost more than the guard allows."""
    if spec.guard is None:
        return
    metric = spec.guard.metric
    first = reports[0]["metrics"][metric]
    for report in reports[1:]:
        last = report["metrics"][metric]
        if not first - last <= spec.guard.max_loss:
            raise ExportError(
                "export_guard",
                f"{metric} falls from {first:.2f} ({reports[0]['stage']}) to {last:.2f} "
                f"({report['stage']}), by more than {spec.guard.max_loss:.2f}",
                "nothing was written: export with --precision fp32, or train a model that "
                "quantizes better",
            )


def check_drift(reports: list[dict[str, Any]]) -> None:
    """Raises ExportError (`export_drift`) that names the first stage and output that drift beyond
    LEAST_DB."""
    for report in reports[1:]:
        for output, drift in report["drift"].items():
            least = LEAST_DB[report["stage"].rpartition(" ")[2]]
            if drift["snr_db"] is not None and drift["snr_db"] < least:
                raise ExportError(
                    "export_drift",
                    f"{report['stage']}: {output} has a signal-to-noise ratio of {drift['snr_db']:.1f} dB "
                    f"against {reports[0]['stage']}, expected {least:g} at least",
                    "nothing was written: a converter computes something else, or the calibration's "
                    "inputs do not show what real ones are like",
                )


def _outputs(
    spec: ExportSpec, sessions: SessionFactory
) -> tuple[dict[str, list[np.ndarray]], dict[str, float]]:
    """Every output by "graph/output" for each calibration feed, and median times by graph."""
    outputs: dict[str, list[np.ndarray]] = {}
    milliseconds = {}
    for graph, graph_spec in spec.graphs.items():
        session = sessions(graph)
        seconds = []
        for feed in graph_spec.calibration:
            session.run(feed)  # the first run with a new shape is slower
            start = perf_counter()
            values = session.run(feed)
            seconds.append(perf_counter() - start)
            for name, value in values.items():
                outputs.setdefault(f"{graph}/{name}", []).append(value)
        session.close()
        milliseconds[graph] = round(1000 * median(seconds), 3)
    return outputs, milliseconds


def _drift(values: list[np.ndarray], reference: list[np.ndarray]) -> dict[str, float | None]:
    """Largest absolute difference, signal-to-noise ratio in dB, lowest cosine of a vector (the last
    axis) with its reference; None where there is no noise or no vector."""
    found = np.concatenate([value.ravel() for value in values]).astype(np.float64)
    expected = np.concatenate([value.ravel() for value in reference]).astype(np.float64)
    noise = float(np.square(found - expected).sum())
    signal = float(np.square(expected).sum())
    return {
        "largest_difference": float(np.abs(found - expected).max(initial=0.0)),
        "snr_db": 10 * float(np.log10(signal / noise)) if noise and signal else None,
        "lowest_cosine": min(map(_lowest_cosine, values, reference), default=1.0) if noise else None,
    }


def _lowest_cosine(found: np.ndarray, expected: np.ndarray) -> float:
    """1 where all vectors of the reference are 0."""
    a, b = (x.reshape(-1, x.shape[-1]).astype(np.float64) for x in (found, expected))
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = (a * b).sum(1) / np.where(norms > 0, norms, 1)
    return float(cosines[np.linalg.norm(b, axis=1) > 0].min(initial=1.0))


def _metrics(stage: Stage, guard: Guard) -> Mapping[str, float]:
    bundle = Bundle.open(stage.path)
    with task_class(bundle.manifest.task)(bundle, stage.sessions(bundle)) as task:
        return evaluate(task, guard.data)
