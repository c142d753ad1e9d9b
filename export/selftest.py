"""The self-test of a bundle: inputs of the whole pipeline with the outputs of this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from edge_sdk.tasks.base import Task

TOLERANCES = {
    "int8": {"score": 0.05, "vector": 0.03},
    "fp32": {"score": 0.001, "vector": 0.0005},
}
"""How much a number under such a key may differ elsewhere: processors round and add in different
orders, and one step of an 8-bit activation moves a probability by about 0.01. Vectors are of
length 1."""


def record_selftest(task: Task[Any], inputs: Sequence[str], precision: str) -> bytes:
    """The bytes of `selftest.json`, from running `task` on each input."""
    content = {
        "inputs": list(inputs),
        "outputs": [task(text).to_dict() for text in inputs],
        "tolerance": {task.engine: TOLERANCES[precision]},
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8")
