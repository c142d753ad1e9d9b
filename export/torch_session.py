"""A torch module behind the runtime's `Session` protocol: the first stage of every comparison."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from edge_sdk.backends import graph_spec
from edge_sdk.backends.base import SessionFactory
from edge_sdk.bundle import Bundle
from edge_sdk.manifest import GraphSpec as DeclaredGraph
from models.common.export_spec import ExportSpec, GraphSpec


class TorchSession:
    """Runs the module of an `ExportSpec`, so that the task's own code can be scored on it."""

    engine = "torch"

    def __init__(self, spec: GraphSpec, declared: DeclaredGraph) -> None:
        self.inputs = declared.inputs
        self.outputs = declared.outputs
        self._spec = spec

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the module once on arrays by input name."""
        arguments = [torch.from_numpy(np.array(inputs[name])) for name in self._spec.inputs]
        with torch.no_grad():
            values = self._spec.module(*arguments)
        values = (values,) if isinstance(values, torch.Tensor) else values
        return {
            name: value.numpy() for name, value in zip(self._spec.outputs, values, strict=True)
        }

    def close(self) -> None:
        """Nothing to free: the module is the caller's."""


def torch_sessions(spec: ExportSpec, engine: str, bundle: Bundle) -> SessionFactory:
    """Opens the modules of `spec` in place of the bundle's graphs for an engine."""
    return lambda name: TorchSession(spec.graphs[name], graph_spec(bundle, engine, name))
