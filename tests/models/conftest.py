"""Training sets the processor's state; the tests after it want it back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True, scope="module")
def subnormal_numbers() -> Iterator[None]:
    """A training in this process flushes subnormal numbers to zero, for speed, and leaves it so."""
    yield
    torch.set_flush_denormal(False)
