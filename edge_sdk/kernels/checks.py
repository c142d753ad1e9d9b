"""Argument checks that all faces share, so that they raise the same errors in the same order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.errors import KernelError
from edge_sdk.kernels.scheme import HashScheme

MAX_FEATURES = 1 << 24


def check_scheme(scheme: HashScheme) -> None:
    """Raises KernelError `bad_scheme` for anything but a HashScheme."""
    if not isinstance(scheme, HashScheme):
        raise KernelError("bad_scheme", f"scheme is a {type(scheme).__name__}", "give a HashScheme")


def check_tokens(tokens: Sequence[Sequence[str]]) -> None:
    """Raises KernelError `bad_tokens` or `bad_token`, naming the token."""
    if not isinstance(tokens, (list, tuple)):
        raise KernelError("bad_tokens", f"tokens is a {type(tokens).__name__}", "give a list of lists of str")
    for index, token in enumerate(tokens):
        if not isinstance(token, (list, tuple)) or not all(isinstance(unit, str) for unit in token):
            raise KernelError(
                "bad_token", f"token {index} is not a list of str", "give each token as the list of its subword units"
            )
        try:
            "\0".join(token).encode()
        except UnicodeEncodeError as error:
            raise KernelError(
                "bad_token",
                f"token {index} holds a lone surrogate (U+{ord(error.object[error.start]):04X})",
                "replace lone surrogates, for example text.encode('utf-8', 'replace').decode()",
            ) from None


def check_features(n_features: int) -> None:
    """Raises KernelError `bad_features` for anything but an integer from 1 to 2^24."""
    if not isinstance(n_features, int) or not 1 <= n_features <= MAX_FEATURES:
        raise KernelError("bad_features", f"n_features is {n_features!r}", f"give an integer from 1 to {MAX_FEATURES}")


def check_fingerprints(fingerprints: np.ndarray) -> None:
    """Raises KernelError `bad_fingerprints` for anything but a uint32 matrix."""
    if not isinstance(fingerprints, np.ndarray) or fingerprints.dtype != np.uint32 or fingerprints.ndim != 2:
        raise KernelError("bad_fingerprints", "fingerprints is no uint32 matrix", "give what fingerprints() returned")


def check_out(out: np.ndarray, shape: tuple[int, int]) -> None:
    """Raises KernelError `bad_out` unless `out` is a writable C-contiguous uint8 array of this shape."""
    if not (
        isinstance(out, np.ndarray)
        and out.dtype == np.uint8
        and out.shape == shape
        and out.flags.c_contiguous
        and out.flags.writeable
    ):
        raise KernelError(
            "bad_out", "out does not fit the result", f"give a writable C-contiguous uint8 array of shape {shape}"
        )
