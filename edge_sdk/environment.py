"""What this machine has: versions, engines, kernels, paths. For bug reports and `edge-sdk doctor`."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from edge_sdk import __version__, catalog
from edge_sdk.backends import ENGINES
from edge_sdk.errors import EdgeError
from edge_sdk.machine import cpu_features, usable_cpus

PACKAGES = ("numpy", "onnxruntime", "ai-edge-litert", "tokenizers", "pillow", "numba")


def doctor() -> dict[str, Any]:
    """Facts by name, all of them JSON: strings, numbers, lists and dictionaries.

    Imports the engines and the kernels to see whether they work; a part that fails is
    reported by its error and raises nothing.
    """
    return {
        "edge_sdk": __version__,
        "package": str(Path(__file__).parent),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": usable_cpus(),
        "cpu_features": cpu_features(),
        "packages": versions(),
        "engines": {name: _engine(name) for name in ENGINES},
        "kernels": _kernels(),
        "zoo": str(catalog.folder()),
        "bundles": [path.stem for path in catalog.bundles()],
        "telemetry": "off" if os.environ.get("ORT_DISABLE_TELEMETRY") == "1" else "unknown",
    }


def _engine(name: str) -> str:
    from importlib import import_module

    try:
        return f"ok, version {import_module(ENGINES[name][0]).engine().__version__}"
    except EdgeError as error:
        return f"{error} ({error.hint})"


def _kernels() -> dict[str, str]:
    try:
        from edge_sdk import kernels

        name, reason = kernels.implementation()
    except EdgeError as error:
        return {"implementation": "none", "reason": f"{error} ({error.hint})"}
    except ImportError as error:  # NumPy is missing or broken
        return {"implementation": "none", "reason": str(error)}
    return {"implementation": name, "reason": reason}


def versions() -> dict[str, str]:
    """Installed version of each of PACKAGES, or "not installed"."""
    return {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
