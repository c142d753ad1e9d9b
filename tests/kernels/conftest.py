"""Every kernel test runs on every face, imported by name: nothing here depends on which one was picked.

EDGE_SDK_CASES is the number of cases that each property test generates for each face.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from types import ModuleType

import pytest
from faces import MODULES
from hypothesis import HealthCheck, settings

settings.register_profile(
    "kernels",
    max_examples=int(os.environ.get("EDGE_SDK_CASES", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("kernels")


@pytest.fixture(params=MODULES)
def face(request: pytest.FixtureRequest) -> Callable[[str], ModuleType]:
    """face("tags") is the module of that concept in one of the faces."""
    if request.param == "numba" and importlib.util.find_spec("numba") is None and "CI" not in os.environ:
        pytest.skip("Numba is not installed; it has no wheel for every machine that runs these tests")
    return lambda concept: importlib.import_module(MODULES[request.param].format(concept))
