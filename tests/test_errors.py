"""Errors are interface: code, message and hint, also from another process."""

from __future__ import annotations

import pickle

import pytest

from edge_sdk.errors import BackendError, BundleError, EdgeError, InputError, KernelError, VectorIndexError


@pytest.mark.parametrize("kind", [EdgeError, BundleError, InputError, BackendError, KernelError, VectorIndexError])
def test_every_error_has_its_parts(kind):
    error = kind("some_code", "what is wrong", "what to do")
    assert isinstance(error, EdgeError)
    assert str(error) == "error[some_code]: what is wrong"
    assert (error.code, error.message, error.hint) == ("some_code", "what is wrong", "what to do")


def test_errors_survive_a_process_boundary():
    error = pickle.loads(pickle.dumps(BundleError("a_code", "message", "hint")))
    assert type(error) is BundleError
    assert (error.code, error.message, error.hint) == ("a_code", "message", "hint")


def test_wrong_arguments_are_value_errors_too():
    """So that callers who never heard of this package's errors catch them."""
    assert issubclass(InputError, ValueError)
    assert issubclass(KernelError, ValueError)
