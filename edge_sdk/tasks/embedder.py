"""Phrases as vectors: normalised text -> numbers of characters or n-grams -> graph -> unit vector.

docs/phrases.md describes what a phrase is, and what becomes of odd ones.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from edge_sdk.errors import BackendError, BundleError, InputError
from edge_sdk.index import VectorIndex
from edge_sdk.phrase import NORMALISATION, normalise_phrase
from edge_sdk.phrase_input import open_input
from edge_sdk.results import Embedding, Neighbour
from edge_sdk.tasks.base import Task, check_texts

if TYPE_CHECKING:
    import argparse

    from edge_sdk.backends.base import SessionFactory
    from edge_sdk.bundle import Bundle

BATCH_NUMBERS = 4096
"""Most numbers, padding included, that the engine is given at once."""
BATCH = 64
"""Most phrases that it is given at once."""

EXAMPLE_NEIGHBOURS = 3

Candidates = VectorIndex | str | os.PathLike[str] | Sequence[str]
"""Where neighbours are looked for: an index, the path of one or of a file of lines, or phrases."""


class Embedder(Task[Embedding]):
    """Gives any string a vector of length 1; close in meaning is close in angle.

    A text is normalised first (`edge_sdk.phrase`); of more than `max_characters` characters only the
    first ones count, and a warning says so once. A text without a letter or digit has a vector of
    zeros, whose cosine with everything is 0.
    """

    task: ClassVar[str] = "embedder"

    def __init__(self, bundle: Bundle, sessions: SessionFactory, threads: int = 1) -> None:
        """Read the bundle's pipeline and open its graph. Raises BundleError where they do not fit."""
        super().__init__(bundle, sessions, threads)
        pipeline = bundle.manifest.pipeline
        pipeline.only("dimension", "max_characters", "normalisation", "input")
        pipeline.text("normalisation", choices=(NORMALISATION,))
        self.dimension = pipeline.integer("dimension", minimum=1, maximum=1 << 13)
        self.max_characters = pipeline.integer("max_characters", minimum=1, maximum=1 << 20)
        """Of the normalised text."""
        self._input = open_input(bundle, pipeline.section("input"))
        self._session = self.open_session()
        self._check_graph()
        self._warned = False
        self._candidates: VectorIndex | None = None
        self._top = 0
        self._examples: VectorIndex | None = None

    def __call__(self, text: str) -> Embedding:
        """Embed one text. Raises InputError (`input_type`)."""
        self.check_open()
        numbers = self._input(self._normalise(text, "text"))
        vector = self._run(numbers[None])[0] if len(numbers) else np.zeros(self.dimension, np.float32)
        return Embedding(text, vector, self._found(vector))

    def batch(self, texts: Sequence[str]) -> list[Embedding]:
        """Embed many texts, several in one call of the engine. Raises as a single call."""
        texts = check_texts(texts)
        return [Embedding(text, row, self._found(row)) for text, row in zip(texts, self.vectors(texts))]

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [n, dimension], each row of length 1, or 0 for a text without letters and digits.

        Raises InputError (`input_type`) that names the place in the list.
        """
        self.check_open()
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        numbers = [self._input(self._normalise(text, f"texts[{i}]")) for i, text in enumerate(texts)]
        for places in _batches([len(row) for row in numbers], self._input.padded):
            batch = np.zeros((len(places), len(numbers[places[-1]])), np.int32)
            for row, i in enumerate(places):
                batch[row, : len(numbers[i])] = numbers[i]
            vectors[places] = self._run(batch)
        return vectors

    def similarity(self, left: str, right: str) -> float:
        """The cosine of two texts, -1 to 1. Raises as a single call."""
        a, b = self.vectors([left, right])
        return max(-1.0, min(1.0, float(a @ b)))

    def neighbours(self, text: str, among: Candidates, top: int = 10) -> list[Neighbour]:
        """The `top` candidates nearest to a text, best first.

        Args:
            among: a `VectorIndex`; the path of a saved one, or of a UTF-8 file with a phrase a line;
                or a list of phrases. All but an index are embedded anew at each call: make an
                `index` once for many.

        Raises:
            InputError: `input_type`, `input_top`, `data_unreadable`, `data_invalid`.
            VectorIndexError: `among` is damaged, or was made by another bundle.
        """
        return self.search_index(self.index(among), text, top)

    def index(self, among: Candidates) -> VectorIndex:
        """An index of the candidates; see `neighbours`."""
        from edge_sdk.vocabulary import open_candidates

        return open_candidates(self, among)

    def example(self, text: str) -> dict[str, Any]:
        """The result, and `neighbours`: which of the bundle's other examples are nearest."""
        if self._examples is None:
            self._examples = self.index(self.bundle.manifest.examples)
        result = self(text)
        nearest = _nearest(self._examples, result.vector, 1 + EXAMPLE_NEIGHBOURS)
        others = [neighbour for neighbour in nearest if neighbour.text != text][:EXAMPLE_NEIGHBOURS]
        return replace(result, neighbours=tuple(others)).to_dict()

    def build_index(
        self,
        source: str | os.PathLike[str],
        out: str | os.PathLike[str],
        *,
        threads: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, Any]:
        """Bring the index file `out` up to date with the phrases of the file `source`, one a line.

        See `edge_sdk.vocabulary.build`.
        """
        from edge_sdk.vocabulary import build

        return build(self, source, out, threads=threads, progress=progress)

    def search_index(self, index: VectorIndex, query: str, top: int = 10) -> list[Neighbour]:
        """The phrases of an index nearest to a text, best first."""
        return _nearest(index, self.vectors([query])[0], top)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Options of the command line."""
        parser.add_argument(
            "--neighbours", metavar="FILE", help="phrases, one a line, or an index: print the nearest"
        )
        parser.add_argument("--top", type=int, default=10, metavar="K", help="how many, default 10")

    def configure(self, options: argparse.Namespace) -> None:
        """Take the options of the command line: from now on results have neighbours."""
        if options.neighbours is not None:
            if options.top < 1:
                raise InputError("input_top", f"--top is {options.top}, expected 1 or more", "leave it out")
            self._candidates, self._top = self.index(options.neighbours), options.top

    def _found(self, vector: np.ndarray) -> tuple[Neighbour, ...] | None:
        if self._candidates is None:
            return None
        return tuple(_nearest(self._candidates, vector, self._top))

    def _normalise(self, text: str, argument: str) -> str:
        """At most `max_characters` of the normalised text."""
        if not isinstance(text, str):
            raise InputError(
                "input_type",
                f"argument {argument} must be a str, found {type(text).__name__}",
                "decode bytes first, and give many texts to batch()",
            )
        phrase = normalise_phrase(text)
        if len(phrase) <= self.max_characters:
            return phrase
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"argument {argument} has {len(phrase)} characters, {self.bundle.manifest.name} reads the "
                f"first {self.max_characters}; further texts are cut without a warning",
                stacklevel=3,
            )
        return phrase[: self.max_characters].rstrip()

    def _run(self, batch: np.ndarray) -> np.ndarray:
        """float32 [batch, dimension], each row of length 1, of int32 [batch, n]."""
        vectors = self._session.run({self._input.name: batch})["vector"]
        if len(vectors) == 1:  # a fifth of the time that the general way takes
            lengths = math.sqrt(np.dot(vectors[0], vectors[0]))
            fine = 0 < lengths < math.inf
        else:
            lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
            fine = 0 < lengths.min() <= lengths.max() < math.inf
        if not fine:
            raise BackendError(
                "backend_nan",
                f"{self.bundle.manifest.name} gave a vector without a direction",
                "run edge-sdk verify on the bundle",
            )
        return vectors / lengths

    def _check_graph(self) -> None:
        inputs = [tensor.name for tensor in self._session.inputs]
        outputs = [(tensor.name, tensor.shape[1:]) for tensor in self._session.outputs]
        if inputs != [self._input.name] or outputs != [("vector", (self.dimension,))]:
            raise BundleError(
                "bundle_graph_mismatch",
                f"the graph takes {inputs} and gives {outputs}, "
                f"the pipeline needs {[self._input.name]} and {[('vector', (self.dimension,))]}",
                "export the bundle again: its graph and its pipeline do not fit",
            )


def _nearest(index: VectorIndex, vector: np.ndarray, top: int) -> list[Neighbour]:
    return [Neighbour(match.key, match.score) for match in index.search(vector, top)]


def _batches(lengths: Sequence[int], padded: bool) -> Iterator[list[int]]:
    """Places of lengths above 0 in groups for one call of the engine, the longest last.

    Lengths in a group are equal unless `padded`.
    """
    group: list[int] = []
    for i in sorted((i for i, n in enumerate(lengths) if n), key=lengths.__getitem__):
        full = len(group) == BATCH or (len(group) + 1) * lengths[i] > BATCH_NUMBERS
        if group and (full or (not padded and lengths[i] != lengths[group[-1]])):
            yield group
            group = []
        group.append(i)
    if group:
        yield group
