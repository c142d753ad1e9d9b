"""ONNX graphs through onnxruntime on the CPU."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from edge_sdk.errors import BackendError

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np

    from edge_sdk.bundle import Bundle
    from edge_sdk.manifest import TensorSpec

_DTYPES = {
    "tensor(bool)": "bool",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
}


@cache
def engine() -> ModuleType:
    """The onnxruntime module, its telemetry off. Raises BackendError (`backend_missing`)."""
    # Wheels from 1.29 on send telemetry and write under the user's cache from the moment of
    # import, unless this variable is there before it.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendError(
            "backend_missing",
            f"onnxruntime cannot be imported: {error}",
            "pip install onnxruntime",
        ) from error
    onnxruntime.disable_telemetry_events()  # for a caller who had imported it before us
    return onnxruntime


class OnnxSession:
    """One graph of a bundle; `run` may be called from several threads at the same time."""

    engine = "onnx"

    def __init__(self, bundle: Bundle, graph: str = "model", *, threads: int = 1) -> None:
        """Load the graph and compare its inputs and outputs with the manifest.

        `threads` is the number of threads that one call computes with.
        Raises BackendError: `backend_missing`, `backend_no_graph`, `backend_load`,
        `backend_mismatch`.
        """
        onnxruntime = engine()
        from edge_sdk.backends import graph_spec

        spec = graph_spec(bundle, self.engine, graph)
        self._name = f"{bundle.manifest.name}/{spec.file}"
        self.inputs: tuple[TensorSpec, ...] = spec.inputs
        self.outputs: tuple[TensorSpec, ...] = spec.outputs
        self._output_names = [output.name for output in spec.outputs]
        try:
            session = onnxruntime.InferenceSession(
                bytes(bundle.read(spec.file)),
                _options(onnxruntime, threads),
                providers=["CPUExecutionProvider"],
            )
        except Exception as error:  # onnxruntime's exceptions have no common base of their own
            raise BackendError(
                "backend_load",
                f"onnxruntime {onnxruntime.__version__} cannot load {self._name}: "
                f"{_one_line(error)}",
                "update onnxruntime, or export the bundle for an older opset",
            ) from error
        _compare(f"input of {self._name}", spec.inputs, session.get_inputs())
        _compare(f"output of {self._name}", spec.outputs, session.get_outputs())
        self._session: Any = session

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the graph once, with arrays by input name; returns arrays by output name.

        Raises BackendError: `backend_run` when onnxruntime refuses, `backend_closed`.
        """
        session = self._session  # a close() in another thread must not end this call
        if session is None:
            raise BackendError("backend_closed", f"{self._name} is closed", "load the bundle again")
        try:
            values = session.run(self._output_names, inputs)
        except Exception as error:
            raise BackendError(
                "backend_run",
                f"onnxruntime failed on {self._name}: {_one_line(error)}",
                "run edge-sdk verify on the bundle",
            ) from error
        return dict(zip(self._output_names, values, strict=True))

    def close(self) -> None:
        """Free the session; a call that is under way still ends."""
        self._session = None


def _options(onnxruntime: ModuleType, threads: int) -> Any:
    # Arena and memory pattern are off. Measured with onnxruntime 1.31.1 on a five-layer int8
    # mixer, 3,000 calls with lengths from 1 to 64 alone and in batches of 256 tokens: resident
    # memory grew by 41 MB with both off, 75 with the pattern, 114 with the arena, 186 with both
    # (each new shape makes them keep more); the median of a call on 8 tokens was 276, 272, 281
    # and 274 microseconds. `run` with arrays costs 7.3 microseconds on a graph of no work,
    # IO binding 11.8 and OrtValues 7.9, so `run` it is.
    # The price: buffers of several MB go back to the system after each call. Batches of 8
    # utterances of 4 words cost 89 microseconds of processor time an utterance either way, and
    # one alone 163; batches of 32 cost 88 with the arena and 386 without. So tasks hand over
    # about 8 texts at once, where batching has gained all that it gains.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # errors come as exceptions; stderr is the caller's
    return options


def _compare(what: str, declared: Sequence[TensorSpec], found: Sequence[Any]) -> None:
    """The graph's own inputs or outputs are those that the manifest declares."""
    names = [tensor.name for tensor in declared]
    if sorted(names) != sorted(tensor.name for tensor in found):
        raise _mismatch(what, "names", names, [tensor.name for tensor in found])
    by_name = {tensor.name: tensor for tensor in found}
    for tensor in declared:
        actual = by_name[tensor.name]
        dtype = _DTYPES.get(actual.type, actual.type)
        if dtype != tensor.dtype:
            raise _mismatch(f"{what}: {tensor.name}", "dtype", tensor.dtype, dtype)
        if not _shapes_fit(tensor.shape, actual.shape):
            raise _mismatch(f"{what}: {tensor.name}", "shape", list(tensor.shape), actual.shape)


def _shapes_fit(declared: Sequence[int | str], actual: Sequence[int | str | None]) -> bool:
    """Equal ranks, and equal sizes wherever the graph fixes one; names of axes may differ."""
    return len(declared) == len(actual) and all(
        not isinstance(size, int) or size == wanted
        for wanted, size in zip(declared, actual, strict=True)
    )


def _mismatch(what: str, kind: str, declared: object, found: object) -> BackendError:
    return BackendError(
        "backend_mismatch",
        f"{what}: {kind} {found}, the manifest says {declared}",
        "export the bundle again: its model and its manifest do not fit",
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
