"""The faces by module name, and how to compare what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edge_sdk.errors import KernelError

MODULES = {
    "native": "edge_sdk.kernels.native._{}",
    "numba": "edge_sdk.kernels.numba.{}",
    "reference": "edge_sdk.kernels.reference.{}",
}


def outcome(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """What a call returns, or the code, message and hint of its KernelError: to compare faces by."""
    try:
        return function(*arguments, **keywords)
    except KernelError as error:
        return error.code, error.message, error.hint
