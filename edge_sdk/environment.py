"""What this machine has: versions, engines, kernels, paths. For bug reports and `edge-sdk doctor`."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from edge_sdk import __version__, catalog
from edge_sdk.backends import ENGINES
from edge_sdk.errors import EdgeError

PACKAGES = ("numpy", "onnxruntime", "tokenizers", "numba")
_CPU_FEATURES = (
    "sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8",
    "neon", "asimd", "asimddp", "i8mm", "sve",
)  # fmt: skip
"""Those that decide how fast 8-bit models run, as /proc/cpuinfo spells them."""


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
        "cpus": _usable_cpus(),
        "cpu_features": _cpu_features(),
        "packages": {name: _version(name) for name in PACKAGES},
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


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_features() -> list[str]:
    """Empty where the system has no /proc/cpuinfo."""
    if sys.platform != "linux":
        return []
    words = set(Path("/proc/cpuinfo").read_text(errors="replace").split())
    return [feature for feature in _CPU_FEATURES if feature in words]
