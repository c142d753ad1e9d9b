"""The seam between tasks and inference engines: a `Session` runs one graph of a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from edge_sdk.manifest import TensorSpec


class Session(Protocol):
    """One loaded graph. `run` may be called from several threads at the same time."""

    engine: str
    """Name of the engine, the key of `manifest.graphs`."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the graph once.

        Arrays have the dtypes and ranks that `inputs` and `outputs` state, and are
        C-contiguous. Raises BackendError (`backend_run`) when the engine refuses.
        """
        ...

    def close(self) -> None:
        """Free the engine's memory; later calls of `run` raise BackendError."""
        ...


SessionFactory = Callable[[str], Session]
"""Opens the graph of that name (a key of `manifest.graphs[engine]`, often just "model")."""
