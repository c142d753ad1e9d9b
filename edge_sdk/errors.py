"""The errors of the runtime: each says what is wrong, where, and what to do about it."""

from __future__ import annotations


class EdgeError(Exception):
    """Every error that `edge_sdk` raises on purpose.

    Attributes:
        code: stable lower_snake_case name of the fault; programs branch on it.
        message: one line: what was found, where, and what was expected.
        hint: one line: what the caller can do. May be empty.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(code, message, hint)  # all three, so that the error survives pickling
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"error[{self.code}]: {self.message}"


class BundleError(EdgeError):
    """A bundle is missing, damaged, of another version, or contradicts itself."""


class InputError(EdgeError, ValueError):
    """An argument of a call cannot be used; the message names the argument."""


class BackendError(EdgeError):
    """An inference engine is missing, does not fit the bundle, or failed."""


class KernelError(EdgeError, ValueError):
    """A kernel was given data that it cannot work on."""


class VectorIndexError(EdgeError):
    """An index of vectors is missing, damaged, or was made by another bundle."""
