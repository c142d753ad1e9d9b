"""Tiny language models on the device.

    import edge_sdk
    tagger = edge_sdk.load("mtop-en")
    print(tagger("wake me up at 7"))

Importing this package loads neither NumPy nor an inference engine; `load` does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_sdk.environment import doctor as doctor
    from edge_sdk.errors import BackendError as BackendError
    from edge_sdk.errors import BundleError as BundleError
    from edge_sdk.errors import EdgeError as EdgeError
    from edge_sdk.errors import InputError as InputError
    from edge_sdk.errors import KernelError as KernelError
    from edge_sdk.errors import VectorIndexError as VectorIndexError
    from edge_sdk.index import VectorIndex as VectorIndex
    from edge_sdk.loading import load as load
    from edge_sdk.loading import verify as verify
    from edge_sdk.results import Embedding as Embedding
    from edge_sdk.results import Encoded as Encoded
    from edge_sdk.results import Hit as Hit
    from edge_sdk.results import Neighbour as Neighbour
    from edge_sdk.results import Slot as Slot
    from edge_sdk.results import TaggerResult as TaggerResult
    from edge_sdk.results import Translation as Translation

__version__ = "0.1.0"

_EXPORTS = {
    "load": "edge_sdk.loading",
    "verify": "edge_sdk.loading",
    "doctor": "edge_sdk.environment",
    "EdgeError": "edge_sdk.errors",
    "BundleError": "edge_sdk.errors",
    "InputError": "edge_sdk.errors",
    "BackendError": "edge_sdk.errors",
    "KernelError": "edge_sdk.errors",
    "VectorIndexError": "edge_sdk.errors",
    "VectorIndex": "edge_sdk.index",
    "Embedding": "edge_sdk.results",
    "Encoded": "edge_sdk.results",
    "Hit": "edge_sdk.results",
    "Neighbour": "edge_sdk.results",
    "Slot": "edge_sdk.results",
    "TaggerResult": "edge_sdk.results",
    "Translation": "edge_sdk.results",
}

__all__ = ["__version__"]
__all__ += _EXPORTS


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for (PEP 562)."""
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
