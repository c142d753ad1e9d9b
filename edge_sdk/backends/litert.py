"""TFLite graphs through LiteRT, or through tflite-runtime where that is all there is.

A TFLite graph has fixed shapes. The bundle's has one signature for each of a few lengths, all on
the same weights: a call runs the shortest that its input fits, padded with zeros, and gives back
what belongs to the input. An axis that no signature has a size for is that of rows: they are run
one after the other.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import BackendError

if TYPE_CHECKING:
    import numpy as np

    from edge_sdk.bundle import Bundle
    from edge_sdk.manifest import TensorSpec

_PACKAGES = (("ai-edge-litert", "ai_edge_litert"), ("tflite-runtime", "tflite_runtime"))


@dataclass(frozen=True)
class Engine:
    """The package that is installed."""

    name: str
    __version__: str
    interpreter: Any
    """The class."""
    trusted: bool
    """False for tflite-runtime: it computes some graphs wrong and says nothing, so that a bundle
    has to pass its self-test there before it is used."""


@cache
def engine() -> Engine:
    """LiteRT, else tflite-runtime. Raises BackendError (`backend_missing`)."""
    for name, module in _PACKAGES:
        try:
            interpreter = import_module(f"{module}.interpreter").Interpreter
        except ImportError as error:
            reason = error
            continue
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:  # a build of one's own
            version = "unknown"
        return Engine(name, version, interpreter, trusted=module == "ai_edge_litert")
    raise BackendError(
        "backend_missing", f"LiteRT cannot be imported: {reason}", "pip install ai-edge-litert"
    ) from reason


class LitertSession:
    """One graph of a bundle. Calls from several threads wait for each other: an interpreter holds
    the tensors of one call."""

    engine = "litert"

    def __init__(self, bundle: Bundle, graph: str = "model", *, threads: int = 1) -> None:
        """Load the graph and compare its signatures with the manifest.

        Raises BackendError: `backend_missing`, `backend_no_graph`, `backend_load`,
        `backend_mismatch`.
        """
        found = engine()
        from edge_sdk.backends import graph_spec

        spec = graph_spec(bundle, self.engine, graph)
        self._name = f"{bundle.manifest.name}/{spec.file}"
        self._engine = f"{found.name} {found.__version__}"
        self.inputs: tuple[TensorSpec, ...] = spec.inputs
        self.outputs: tuple[TensorSpec, ...] = spec.outputs
        self._lock = threading.Lock()
        try:
            interpreter = found.interpreter(model_content=bytes(bundle.read(spec.file)), num_threads=threads)
            signatures = interpreter.get_signature_list()
            self._runners: dict[str, Any] = {
                name: interpreter.get_signature_runner(name) for name in spec.signatures if name in signatures
            }
        except Exception as error:  # ValueError, RuntimeError and whatever pybind makes of others
            raise BackendError(
                "backend_load",
                f"{self._engine} cannot load {self._name}: {_one_line(error)}",
                "update ai-edge-litert, or load the bundle with another backend",
            ) from error
        self._signatures = sorted(spec.signatures.items(), key=lambda item: math.prod(item[1].values()))
        self._sized = {axis for sizes in spec.signatures.values() for axis in sizes}
        self._compare(signatures)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the graph on each row, with arrays by input name; returns arrays by output name.

        Raises BackendError: `backend_run` for inputs that the graph does not take, `backend_closed`.
        """
        import numpy as np

        sizes = self._sizes(inputs)
        name, room = self._signature(sizes)
        rows = sizes.keys() - self._sized
        count = sizes[next(iter(rows))] if rows else 1
        by_row = [bool(tensor.shape and _axes(tensor.shape[0]) & rows) for tensor in self.outputs]
        found: list[list[np.ndarray]] = [[] for _ in self.outputs]
        with self._lock:
            runner = self._runners.get(name)
            if runner is None:
                raise BackendError("backend_closed", f"{self._name} is closed", "load the bundle again")
            for row in range(count):
                padded = {t.name: self._padded(t, inputs[t.name], row, room) for t in self.inputs}
                try:
                    outputs = runner(**padded)  # copies, not views of the interpreter's memory
                except Exception as error:
                    raise self._refused(_one_line(error)) from error
                for tensor, values in zip(self.outputs, found, strict=True):
                    values.append(_cut(tensor, outputs[tensor.name], sizes, room))
        return {
            tensor.name: np.concatenate(values) if many else np.ascontiguousarray(values[0])
            for tensor, values, many in zip(self.outputs, found, by_row, strict=True)
        }

    def close(self) -> None:
        """Free the interpreter; a call that is under way still ends."""
        with self._lock:
            self._runners = {}

    def _sizes(self, inputs: Mapping[str, np.ndarray]) -> dict[str, int]:
        """The size of each named axis."""
        sizes: dict[str, int] = {}
        if inputs.keys() != {tensor.name for tensor in self.inputs}:
            raise self._refused(f"inputs are {sorted(inputs)}")
        for tensor in self.inputs:
            value = inputs[tensor.name]
            if getattr(value, "dtype", None) != tensor.dtype or value.ndim != len(tensor.shape):
                shown = f"{getattr(value, 'dtype', type(value).__name__)} {getattr(value, 'shape', '')}"
                raise self._refused(f"{tensor.name} is {shown}, expected {tensor.dtype} {list(tensor.shape)}")
            for axis, size in zip(tensor.shape, value.shape, strict=True):
                wanted = sizes.setdefault(axis, size) if isinstance(axis, str) else axis
                if size != wanted or size == 0:
                    raise self._refused(
                        f"{tensor.name} has the shape {value.shape}, expected {list(tensor.shape)}"
                    )
        return sizes

    def _signature(self, sizes: Mapping[str, int]) -> tuple[str, Mapping[str, int]]:
        """The first signature, and so the smallest, with room for the input."""
        for name, room in self._signatures:
            if all(sizes[axis] <= size for axis, size in room.items()):
                return name, room
        largest = dict(self._signatures[-1][1])
        wanted = {axis: sizes[axis] for axis in largest}
        raise self._refused(f"the input's sizes are {wanted}, the largest that the graph takes {largest}")

    def _padded(
        self, tensor: TensorSpec, value: np.ndarray, row: int, room: Mapping[str, int]
    ) -> np.ndarray:
        """One row of an input, with zeros up to the signature's sizes."""
        import numpy as np

        if tensor.shape and isinstance(tensor.shape[0], str) and tensor.shape[0] not in self._sized:
            value = value[row : row + 1]
        shape = tuple(
            room.get(axis, size) if isinstance(axis, str) else size
            for axis, size in zip(tensor.shape, value.shape, strict=True)
        )
        if shape == value.shape:
            return np.ascontiguousarray(value)
        padded = np.zeros(shape, value.dtype)
        padded[tuple(map(slice, value.shape))] = value
        return padded

    def _refused(self, reason: str) -> BackendError:
        return BackendError(
            "backend_run",
            f"{self._engine} failed on {self._name}: {reason}",
            "run edge-sdk verify on the bundle",
        )

    def _compare(self, found: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        """The graph has the signatures of the manifest, with its inputs and outputs, and only rows
        have no size."""
        names = sorted(name for name, _ in self._signatures)
        if not names or names != sorted(found):
            raise self._mismatch("signatures", sorted(found), names)
        for name, room in self._signatures:
            runner = self._runners[name]
            for kind, declared, details in (
                ("input", self.inputs, runner.get_input_details()),
                ("output", self.outputs, runner.get_output_details()),
            ):
                if sorted(details) != sorted(t.name for t in declared):
                    raise self._mismatch(f"{kind}s of {name}", sorted(details), [t.name for t in declared])
                for tensor in declared:
                    detail = details[tensor.name]
                    shape = [int(size) for size in detail["shape"]]
                    dtype = detail["dtype"].__name__
                    expected = [room.get(s, 1) if isinstance(s, str) else s for s in tensor.shape]
                    fits = len(shape) == len(expected) and (
                        kind == "output" or shape == expected
                    ) and all(not isinstance(s, int) or s == n for s, n in zip(tensor.shape, shape))  # fmt: skip
                    if dtype != tensor.dtype or not fits:
                        raise self._mismatch(
                            f"{kind} {tensor.name} of {name}", f"{dtype} {shape}", f"{tensor.dtype} {expected}"
                        )
            if room.keys() != self._sized:
                raise self._mismatch(f"axes of {name}", sorted(room), sorted(self._sized))
        axes = {axis for t in self.inputs for axis in t.shape if isinstance(axis, str)}
        if not self._sized <= axes:
            raise self._mismatch("axes of the inputs", sorted(axes), sorted(self._sized))
        loose = axes - self._sized
        if len(loose) > 1 or any(axis in t.shape[1:] for t in self.inputs for axis in loose):
            raise self._mismatch("axes without a size", sorted(loose), "one, the first of its inputs")

    def _mismatch(self, what: str, found: object, declared: object) -> BackendError:
        return BackendError(
            "backend_mismatch",
            f"{what} of {self._name}: {found}, the manifest says {declared}",
            "export the bundle again: its model and its manifest do not fit",
        )


def _axes(size: int | str) -> set[str]:
    """The names in a size: none in a number; it may be a sum such as "characters - 6"."""
    return set(re.findall(r"[A-Za-z_]\w*", size)) if isinstance(size, str) else set()


def _cut(tensor: TensorSpec, value: np.ndarray, sizes: Mapping[str, int], room: Mapping[str, int]) -> np.ndarray:
    """An output without what padding added to it."""
    places = []
    for size, there in zip(tensor.shape, value.shape, strict=True):
        added = sum(room[axis] - sizes[axis] for axis in _axes(size) if axis in room)
        places.append(slice(there - added))
    return value[tuple(places)]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
