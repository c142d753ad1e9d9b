"""From a bundle's name to a task that answers."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_sdk import catalog
from edge_sdk.backends import ENGINES, choose_engine, must_prove, session_factory
from edge_sdk.bundle import Bundle
from edge_sdk.errors import BackendError, InputError
from edge_sdk.tasks import task_class

if TYPE_CHECKING:
    from edge_sdk.tasks.base import Task

_BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def load(
    bundle: str | os.PathLike[str], *, backend: str = "auto", threads: int = 1
) -> Task[Any]:
    """Load a bundle, ready to be called.

    Args:
        bundle: path of an `.edge` file, or the name of one in the zoo.
        backend: "onnx", "litert", or "auto" for the fastest installed engine, as measured when the
            bundle was made, that it has a graph for.
        threads: how many threads one call computes with. Several threads of the caller may
            share the task whatever this is. NumPy's BLAS takes this number too, unless
            NumPy was imported before.

    Returns:
        The task that the manifest names, such as `edge_sdk.tasks.tagger.Tagger`.

    Raises:
        BundleError: not found, damaged, or too new for this runtime.
        BackendError: engine not installed, or no graph for it in the bundle.
        BundleError (`selftest_failed`): the engine is tflite-runtime and computes this bundle wrong.
        InputError: an argument of the wrong type or range.
    """
    if not isinstance(threads, int) or isinstance(threads, bool) or not 1 <= threads <= 1024:
        raise InputError(
            "input_threads",
            f"argument threads is {threads!r}, expected an integer from 1 to 1024",
            "leave it out for 1, the best for these small models",
        )
    opened = Bundle.open(catalog.find(bundle))
    try:
        _import_numpy(threads)  # before a task's module does
        kind = task_class(opened.manifest.task)
        engine = choose_engine(opened, backend)  # not the task's: that may open a graph not needed yet
        task = kind(opened, session_factory(opened, engine, threads), threads)
        if must_prove(engine):
            task.selftest()
        return task
    except BaseException:
        opened.close()
        raise


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found to be right."""

    bundle: str
    """Name in the manifest."""
    version: str
    files: int
    """Members whose size and sha256 are as declared."""
    selftests: dict[str, int]
    """For each engine that ran: how many recorded inputs gave the recorded outputs."""

    def to_dict(self) -> dict[str, Any]:
        """Keys `bundle`, `version`, `files`, `selftests`, and `ok`, which is true."""
        return {
            "bundle": self.bundle,
            "version": self.version,
            "files": self.files,
            "selftests": self.selftests,
            "ok": True,
        }


def verify(bundle: str | os.PathLike[str]) -> Verification:
    """Check all bytes of a bundle, then run its self-test on each engine that is installed.

    Raises what `load` raises; BundleError (`selftest_failed`) when an output differs from
    the recorded one by more than the tolerance; BackendError (`backend_missing`) when none
    of the bundle's engines is installed.
    """
    path = catalog.find(bundle)
    with Bundle.open(path) as opened:
        manifest = opened.manifest
    selftests: dict[str, int] = {}
    missing: BackendError | None = None
    for engine in ENGINES:
        if engine not in manifest.graphs:
            continue
        try:
            with load(path, backend=engine) as task:
                selftests[engine] = task.selftest()
        except BackendError as error:
            if error.code != "backend_missing":
                raise
            missing = error
    if not selftests and missing is not None:
        raise missing
    return Verification(manifest.name, manifest.version, len(manifest.files), selftests)


def _import_numpy(threads: int) -> None:
    """Import NumPy with a BLAS of that many threads: it reads the environment only then.

    The environment is put back, since it is the caller's.
    """
    if "numpy" in sys.modules:
        return
    before = {name: os.environ.get(name) for name in _BLAS_THREADS}
    os.environ.update(dict.fromkeys(_BLAS_THREADS, str(threads)))
    try:
        import numpy  # noqa: F401
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
