"""The self-test of a bundle: inputs of the whole pipeline with the outputs of this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_sdk.loading import load
from edge_sdk.selftest import Cosine, difference
from export.errors import ExportError

TOLERANCES = {
    "int8": {"score": 0.05, "vector": Cosine(0.99)},
    "fp32": {"score": 0.001, "vector": Cosine(0.9999)},
}
"""How much a number under the key "score" may differ elsewhere, and the least cosine of a "vector":
processors round and add in different orders, and one step of an 8-bit activation moves a
probability by about 0.01."""

ROOM = {"litert": 2}
"""How many times the tolerance of scores an engine has: tflite-runtime's kernels quantize activations to 7
bits and a sign, and differ by .06 on texts that the model is unsure of."""


def record_selftest(bundles: Mapping[str, Path], inputs: Sequence[str], precision: str) -> bytes:
    """The bytes of `selftest.json`, from running the first engine's bundle on each input.

    An input on which another engine differs by more than the tolerance is left out: it would test
    rounding. Raises ExportError (`export_selftest`) where that leaves less than half.
    """
    limits = TOLERANCES[precision]
    results = {engine: _outputs(path, engine, inputs) for engine, path in bundles.items()}
    expected, *others = results.values()
    agreed = [
        i
        for i in range(len(inputs))
        if all(difference(other[i], expected[i], limits) is None for other in others)
    ]
    if 2 * len(agreed) < len(inputs):
        raise ExportError(
            "export_selftest",
            f"{' and '.join(bundles)} agree on {len(agreed)} of {len(inputs)} self-test inputs",
            "look at the drift of each stage in the report, and give inputs that are no near ties",
        )
    tolerance = {
        engine: {
            key: {"cosine": limit} if isinstance(limit, Cosine) else ROOM.get(engine, 1) * limit
            for key, limit in limits.items()
        }
        for engine in bundles
    }
    content = {
        "inputs": [inputs[i] for i in agreed],
        "outputs": [expected[i] for i in agreed],
        "tolerance": tolerance,
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8")


def _outputs(path: Path, engine: str, inputs: Sequence[str]) -> list[dict[str, Any]]:
    with load(path, backend=engine) as task:
        return [task(text).to_dict() for text in inputs]
