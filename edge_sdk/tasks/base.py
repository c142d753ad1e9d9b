"""What every task shares: life cycle, sessions, self-test. A task is prepare -> run -> decode."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from edge_sdk.errors import EdgeError, InputError

if TYPE_CHECKING:
    import argparse
    import os
    from collections.abc import Callable, Sequence

    from edge_sdk.backends.base import Session, SessionFactory
    from edge_sdk.bundle import Bundle
    from edge_sdk.index import VectorIndex


class TaskResult(Protocol):
    """What the command line needs of a result."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of `edge-sdk run --json`."""
        ...


Result = TypeVar("Result", bound=TaskResult)


class Task(ABC, Generic[Result]):
    """A loaded bundle, ready to be called from several threads.

    A subclass reads its section of the manifest in `__init__`, after `super().__init__`,
    opens its graphs with `self.open_session()`, and never changes its state in a call.
    """

    task: ClassVar[str]
    """The name in `manifest.task`."""

    def __init__(self, bundle: Bundle, sessions: SessionFactory, threads: int = 1) -> None:
        self.bundle = bundle
        self.threads = threads
        self.closed = False
        self._factory = sessions
        self._sessions: list[Session] = []

    @abstractmethod
    def __call__(self, text: str) -> Result:
        """Run on one input. Raises InputError that names the argument."""

    def batch(self, texts: Sequence[str]) -> list[Result]:
        """Run on many inputs; results in the same order.

        They are those of single calls, up to rounding in fp32 graphs. The first wrong input
        raises InputError that names its place in the list.
        """
        return [self(text) for text in check_texts(texts)]

    def example(self, text: str) -> dict[str, Any]:
        """What `edge-sdk demo` prints of one of the bundle's examples: the result as JSON."""
        return self(text).to_dict()

    def build_index(
        self,
        source: str | os.PathLike[str],
        out: str | os.PathLike[str],
        *,
        threads: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, Any]:
        """Bring the index file `out` up to date with `source`; see the task for what that is.

        Args:
            threads: how many inputs are worked on at once.
            progress: called with how many are done, and how many there are in all.

        Returns what `edge-sdk index` prints: at least `index`, `rows`, `added`, `updated`,
        `removed`, `skipped`. Raises EdgeError (`task_no_index`) where the task has no index.
        """
        raise self._no_index()

    def search_index(self, index: VectorIndex, query: str, top: int = 10) -> Sequence[TaskResult]:
        """The `top` entries of an index nearest to a query, best first.

        Raises EdgeError (`task_no_index`) where the task has no index.
        """
        raise self._no_index()

    def _no_index(self) -> EdgeError:
        return EdgeError(
            "task_no_index",
            f"{self.bundle.manifest.name} is a {self.task}, which has no index",
            "give a bundle whose task is retriever or embedder",
        )

    def open_session(self, graph: str = "model") -> Session:
        """Open one graph of the bundle on the engine that the caller chose; closed by `close()`."""
        session = self._factory(graph)
        self._sessions.append(session)
        return session

    @property
    def engine(self) -> str:
        """Name of the inference engine in use."""
        return self._sessions[0].engine

    def check_open(self) -> None:
        """Raise EdgeError (`task_closed`) after `close()`; every call begins with this."""
        if self.closed:
            raise EdgeError(
                "task_closed",
                f"{self.bundle.manifest.name} was called after close()",
                "load the bundle again",
            )

    def close(self) -> None:
        """Free the engine's memory and unmap the bundle. May be called again."""
        self.closed = True
        for session in self._sessions:
            session.close()
        self.bundle.close()

    def __enter__(self) -> Task[Result]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the task's own options to `edge-sdk run`; their values reach `configure()`."""

    def configure(self, options: argparse.Namespace) -> None:
        """Take the values of the options that `add_options` added."""

    def selftest(self) -> int:
        """Run the bundle's `selftest.json` and compare with the outputs recorded there.

        Everything must be equal, but numbers under a key named in the engine's
        tolerance (`{"onnx": {"score": 0.02}}`) may differ by that much.
        Returns how many inputs there are.
        Raises BundleError (`selftest_failed`) that names the first difference.
        """
        from edge_sdk.selftest import run_selftest

        return run_selftest(self)


def check_texts(texts: object) -> Sequence[str]:
    """Refuse what is not a sequence of inputs, above all a lone str, which is one by accident."""
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__iter__"):
        raise InputError(
            "input_type",
            f"argument texts must be a list of str, found {type(texts).__name__}",
            "call the task itself for a single text",
        )
    return list(texts)
