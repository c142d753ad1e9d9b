"""The inference engines by name. An engine's module is imported when a bundle is loaded on it."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from edge_sdk.errors import BackendError

if TYPE_CHECKING:
    from edge_sdk.backends.base import SessionFactory
    from edge_sdk.bundle import Bundle
    from edge_sdk.manifest import GraphSpec

ENGINES = {
    "onnx": ("edge_sdk.backends.onnx", "OnnxSession"),
}
"""In the order of preference of `backend="auto"`."""


def session_factory(bundle: Bundle, backend: str, threads: int) -> SessionFactory:
    """What opens the bundle's graphs on `backend`, one of `ENGINES` or "auto".

    Raises BackendError: `backend_no_graph` when the bundle has none for it, `backend_unknown`
    when this runtime has no such engine, `backend_missing` when it is not installed.
    """
    graphs = bundle.manifest.graphs
    wanted = list(ENGINES) if backend == "auto" else [backend]
    engine = next((name for name in wanted if name in graphs), None)
    if engine is None:
        raise BackendError(
            "backend_no_graph",
            f"{bundle.manifest.name} has no graph for {' or '.join(map(str, wanted))}, "
            f"it has one for {', '.join(graphs) or 'no engine'}",
            "choose another backend, or export the bundle for this engine",
        )
    if engine not in ENGINES:
        raise BackendError(
            "backend_unknown",
            f"this runtime has no engine {engine!r}, it has {', '.join(ENGINES)}",
            "update edge-sdk, or choose another backend",
        )
    module, attribute = ENGINES[engine]
    return partial(getattr(import_module(module), attribute), bundle, threads=threads)


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
