"""The self-test of a bundle: recorded inputs must give the recorded outputs on this machine."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import BundleError
from edge_sdk.section import Section

if TYPE_CHECKING:
    from edge_sdk.tasks.base import Task

SELFTEST = "selftest.json"


def run_selftest(task: Task[Any]) -> int:
    """Run `selftest.json` through `task`; see `Task.selftest`."""
    section = Section(task.bundle.read_json(SELFTEST), SELFTEST)
    section.only("inputs", "outputs", "tolerance")
    inputs, outputs = section.texts("inputs"), section.items("outputs")
    by_engine = section.section("tolerance")
    tolerance = by_engine.section(task.engine, default={})
    limits = {key: _limit(tolerance, key) for key in tolerance.values}
    if not inputs or len(inputs) != len(outputs):
        raise BundleError(
            "bundle_schema",
            f"{SELFTEST} has {len(inputs)} inputs and {len(outputs)} outputs",
            "export the bundle again",
        )
    # One by one, so that the message can name the input.
    for i, (text, expected) in enumerate(zip(inputs, outputs, strict=True)):
        with warnings.catch_warnings():  # odd inputs are there on purpose
            warnings.simplefilter("ignore")
            found = task(text).to_dict()
        where = difference(found, expected, limits)
        if where is not None:
            raise BundleError(
                "selftest_failed",
                f"{task.bundle.manifest.name} on {task.engine}, input {i}: {where}",
                "the engine computes otherwise than where the bundle was made: "
                "try another version of it, and report both versions",
            )
    return len(inputs)


class Cosine(float):
    """The least cosine of two vectors that counts as agreement."""


def _limit(tolerance: Section, key: str) -> float:
    if not isinstance(tolerance.values[key], Mapping):
        return tolerance.number(key)
    section = tolerance.section(key)
    section.only("cosine")
    return Cosine(section.number("cosine"))


def _cosine(left: list[float], right: list[float]) -> float:
    """1.0 for two vectors of zeros, 0.0 where only one is."""
    lengths = math.hypot(*left) * math.hypot(*right)
    if lengths == 0.0:
        return 1.0 if left == right else 0.0
    return sum(a * b for a, b in zip(left, right, strict=True)) / lengths


def difference(found: Any, expected: Any, limits: Mapping[str, float], path: str = "") -> str | None:
    """Where two JSON values differ first, in words; None where they agree.

    A number under a key of `limits` may differ by that much, a list of numbers under a key whose
    limit is a `Cosine` has at least that cosine; everything else is equal.
    """
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        if found.keys() != expected.keys():
            return f"{path or 'result'} has the keys {sorted(found)}, expected {sorted(expected)}"
        pairs = [(f"{path}.{key}".lstrip("."), found[key], expected[key]) for key in expected]
    elif isinstance(expected, list) and isinstance(found, list):
        if len(found) != len(expected):
            return f"{path} has {len(found)} items, expected {len(expected)}"
        limit = limits.get(path.rpartition(".")[2])
        if isinstance(limit, Cosine) and all(isinstance(each, (int, float)) for each in expected):
            # A NaN compares false with everything, and so counts as different.
            cosine = _cosine(found, expected)
            return None if cosine >= limit else f"{path} has the cosine {cosine:.4f} with what is expected"
        pairs = [(f"{path}[{i}]", a, b) for i, (a, b) in enumerate(zip(found, expected, strict=True))]
    else:
        limit = limits.get(path.rpartition(".")[2].partition("[")[0], 0.0)
        limit = 0.0 if isinstance(limit, Cosine) else limit
        numbers = all(
            isinstance(value, (int, float)) and not isinstance(value, bool)
            for value in (found, expected)
        )
        # A NaN compares false with everything, and so counts as different.
        equal = abs(found - expected) <= limit if numbers else found == expected
        return None if equal else f"{path} is {found!r}, expected {expected!r}"
    return next((text for p, a, b in pairs if (text := difference(a, b, limits, p))), None)
