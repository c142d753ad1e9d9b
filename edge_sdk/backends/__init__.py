"""The inference engines by name. An engine's module is imported when a bundle is loaded on it."""

from __future__ import annotations

import math
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from edge_sdk.errors import BackendError
from edge_sdk.section import Section

if TYPE_CHECKING:
    from edge_sdk.backends.base import SessionFactory
    from edge_sdk.bundle import Bundle
    from edge_sdk.manifest import GraphSpec

ENGINES = {
    "onnx": ("edge_sdk.backends.onnx", "OnnxSession"),
    "litert": ("edge_sdk.backends.litert", "LitertSession"),
}
"""Module and class of each engine."""
_PACKAGES = {"onnx": ("onnxruntime",), "litert": ("ai_edge_litert", "tflite_runtime")}


def session_factory(bundle: Bundle, backend: str, threads: int) -> SessionFactory:
    """What opens the bundle's graphs on `backend`; see `choose_engine`, whose errors it raises.

    Raises BackendError (`backend_missing`) when the engine is not installed.
    """
    module, attribute = ENGINES[choose_engine(bundle, backend)]
    return partial(getattr(import_module(module), attribute), bundle, threads=threads)


def choose_engine(bundle: Bundle, backend: str) -> str:
    """The engine that `backend`, one of `ENGINES` or "auto", stands for; opens no graph.

    "auto" is the engine that the bundle's report measured as the fastest, of those that are
    installed.
    Raises BackendError: `backend_no_graph` when the bundle has no graph for it, `backend_unknown`
    when this runtime has no such engine.
    """
    graphs = bundle.manifest.graphs
    wanted = [name for name in ENGINES if name in graphs] if backend == "auto" else [backend]
    if not wanted or wanted[0] not in graphs:
        raise BackendError(
            "backend_no_graph",
            f"{bundle.manifest.name} has no graph for {backend if wanted else ' or '.join(ENGINES)}, "
            f"it has one for {', '.join(graphs) or 'no engine'}",
            "choose another backend, or export the bundle for this engine",
        )
    installed = [name for name in wanted if len(wanted) == 1 or _is_installed(name)]
    engine = min(installed or wanted, key=lambda name: _milliseconds(bundle, name)) if wanted[1:] else wanted[0]
    if engine not in ENGINES:
        raise BackendError(
            "backend_unknown",
            f"this runtime has no engine {engine!r}, it has {', '.join(ENGINES)}",
            "update edge-sdk, or choose another backend",
        )
    return engine


def must_prove(engine: str) -> bool:
    """Whether the installed package of an engine is known to compute some graphs wrong, so that a
    bundle has to pass its self-test before it is used."""
    return not getattr(import_module(ENGINES[engine][0]).engine(), "trusted", True)


def _is_installed(engine: str) -> bool:
    return any(find_spec(package) is not None for package in _PACKAGES[engine])


def _milliseconds(bundle: Bundle, engine: str) -> float:
    """What the last stage of an engine took at export, all graphs together."""
    times = [math.inf]
    if "report.json" in bundle:
        for stage in Section(bundle.read_json("report.json"), "report.json").sections("stages"):
            if stage.text("stage").startswith(f"{engine} "):
                graphs = stage.section("p50_ms")
                times.append(sum(graphs.number(name) for name in graphs.values))
    return times[-1]


def graph_spec(bundle: Bundle, engine: str, graph: str) -> GraphSpec:
    """The manifest's description of a graph. Raises BackendError (`backend_no_graph`)."""
    graphs = bundle.manifest.graphs.get(engine, {})
    if graph not in graphs:
        raise BackendError(
            "backend_no_graph",
            f"{bundle.manifest.name} has no graph {graph!r} for {engine}, "
            f"it has {', '.join(graphs) or 'none'}",
            "export the bundle again",
        )
    return graphs[graph]
