"""The inference engines by name. An engine's module is imported when a bundle is loaded on it."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from edge_sdk.errors import BackendError, InputError

if TYPE_CHECKING:
    from edge_sdk.backends.base import SessionFactory
    from edge_sdk.bundle import Bundle

ENGINES = {
    "onnx": ("edge_sdk.backends.onnx", "OnnxSession"),
}
"""In the order of preference of `backend="auto"`."""


def session_factory(bundle: Bundle, backend: str, threads: int) -> SessionFactory:
    """What opens the bundle's graphs on `backend`, one of `ENGINES` or "auto".

    Raises InputError (`backend_unknown`) and BackendError (`backend_no_graph`,
    `backend_missing` when the engine is not installed).
    """
    if backend != "auto" and backend not in ENGINES:
        raise InputError(
            "backend_unknown",
            f"argument backend is {backend!r}, expected auto or one of {', '.join(ENGINES)}",
            "leave it out to take the engine that the bundle has a graph for",
        )
    graphs = bundle.manifest.graphs
    wanted = list(ENGINES) if backend == "auto" else [backend]
    engine = next((name for name in wanted if name in graphs), None)
    if engine is None:
        raise BackendError(
            "backend_no_graph",
            f"{bundle.manifest.name} has no graph for {' or '.join(wanted)}, "
            f"it has one for {', '.join(graphs) or 'no engine'}",
            "choose another backend, or export the bundle for this engine",
        )
    module, attribute = ENGINES[engine]
    return partial(getattr(import_module(module), attribute), bundle, threads=threads)


def graph_spec(bundle: Bundle, engine: str, graph: str):
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
