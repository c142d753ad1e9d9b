"""Texts and pictures as vectors of one space: what is alike lies close, whichever kind it is.

docs/text-image.md describes commands, index and bundle.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from edge_sdk.errors import BackendError, BundleError, InputError
from edge_sdk.images import SUFFIXES, Preprocessing
from edge_sdk.results import Encoded, Hit
from edge_sdk.section import Section
from edge_sdk.tasks.base import Task, check_texts
from edge_sdk.token_ids import TokenIds

if TYPE_CHECKING:
    from edge_sdk.backends.base import Session, SessionFactory
    from edge_sdk.bundle import Bundle
    from edge_sdk.images import Picture
    from edge_sdk.index import VectorIndex

BATCH = 8
"""Inputs that the engine is given at once: more gain no speed and cost memory."""
GALLERY = "bundle:"
"""Before the name of one of the bundle's own pictures."""
EXAMPLE_HITS = 3
INPUTS = {"text": "tokens", "image": "pixels"}
"""The graphs, and what their inputs are called."""


class Retriever(Task[Encoded]):
    """Encodes texts and pictures.

    An input is a text, or a picture: a path-like object, a Pillow image, an array of pixels, a str
    that ends with one of `edge_sdk.images.SUFFIXES`, or "bundle:NAME" for one of the pictures that
    the bundle carries. Each encoder is opened when it is first used: a program that only encodes
    texts never loads the other one, and needs no Pillow.
    """

    task: ClassVar[str] = "retriever"

    def __init__(self, bundle: Bundle, sessions: SessionFactory, threads: int = 1) -> None:
        """Read the bundle's pipeline. Raises BundleError where it contradicts itself."""
        super().__init__(bundle, sessions, threads)
        pipeline = bundle.manifest.pipeline
        pipeline.only("dimension", "text", "image", "gallery")
        self.dimension = pipeline.integer("dimension", minimum=1, maximum=1 << 16)
        text = pipeline.section("text")
        text.only("tokenizer", "max_tokens", "start", "end")
        self.max_tokens = text.integer("max_tokens", minimum=1, maximum=1 << 16)
        """Most tokens of a text, those that the bundle puts around it included."""
        start, end = _numbers(text, "start"), _numbers(text, "end")
        self._marks = len(start) + len(end)
        self._token_ids = TokenIds(bundle.read(text.text("tokenizer")), start, end)
        self.preprocessing = Preprocessing.from_section(pipeline.section("image"))
        self._gallery = _gallery(bundle, pipeline, self.preprocessing)
        self._gallery_vectors: np.ndarray | None = None
        self._lock = Lock()
        self._encoders: dict[str, Session] = {}

    def __call__(self, text: Picture) -> Encoded:
        """Encode one text or picture.

        Raises InputError: `input_empty` where a text has no token, `input_too_long`,
        `gallery_name`, and for pictures what `edge_sdk.images.load_image` raises.
        """
        self.check_open()
        graph, tensor = self._prepare(text)
        return Encoded(_shown(text), graph, self._run(graph, tensor[None])[0])

    def batch(self, texts: Sequence[Picture]) -> list[Encoded]:
        """Encode many inputs, several in one call of the engine. Raises as a single call."""
        texts = check_texts(texts)
        vectors = self.vectors(texts)
        return [Encoded(_shown(each), _kind(each), row) for each, row in zip(texts, vectors, strict=True)]

    def vectors(self, inputs: Sequence[Picture]) -> np.ndarray:
        """float32 [n, dimension], each row of length 1. Raises as a single call, naming the place."""
        self.check_open()
        vectors = np.empty((len(inputs), self.dimension), np.float32)
        # Texts of equal length go together, so that there is no padding.
        waiting: dict[tuple[str, int], list[tuple[int, np.ndarray]]] = {}
        for i, each in enumerate(inputs):
            try:
                graph, tensor = self._prepare(each)
            except InputError as error:
                raise InputError(error.code, f"texts[{i}]: {error.message}", error.hint) from error
            group = waiting.setdefault((graph, len(tensor)), [])  # pictures are all of one size
            group.append((i, tensor))
            if len(group) == BATCH:
                self._finish(graph, group, vectors)
        for (graph, _), group in waiting.items():
            if group:
                self._finish(graph, group, vectors)
        return vectors

    def text_vector(self, text: str) -> np.ndarray:
        """float32 [dimension] of a text, also of one that looks like the path of a picture."""
        self.check_open()
        return self._run("text", self._tokens(text)[None])[0]

    def pixels(self, picture: Picture) -> np.ndarray:
        """What the image encoder is given: uint8 [height, width, 3]."""
        if not (isinstance(picture, str) and picture.startswith(GALLERY)):
            return self.preprocessing(picture)
        name = picture.removeprefix(GALLERY)
        if name not in self._gallery:
            raise InputError(
                "gallery_name",
                f"the bundle has no picture {name!r:.80}, it has {', '.join(self._gallery) or 'none'}",
                "give one of these, or the path of a picture",
            )
        return self._gallery[name]

    def example(self, text: str) -> dict[str, Any]:
        """The result, and `hits`: the bundle's own pictures that are nearest."""
        result = self(text)
        if not self._gallery:
            return result.to_dict()
        if self._gallery_vectors is None:
            self._gallery_vectors = self.vectors([GALLERY + name for name in self._gallery])
        scores = self._gallery_vectors @ result.vector
        names = list(self._gallery)
        best = np.argsort(-scores, kind="stable")[:EXAMPLE_HITS]
        hits = [Hit(GALLERY + names[i], float(scores[i])).to_dict() for i in best]
        return {**result.to_dict(), "hits": hits}

    def build_index(
        self,
        source: str | os.PathLike[str],
        out: str | os.PathLike[str],
        *,
        threads: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> dict[str, Any]:
        """Bring the index file `out` up to date with the pictures below the folder `source`.

        See `edge_sdk.gallery.build`.
        """
        from edge_sdk.gallery import build

        return build(self, source, out, threads=threads, progress=progress).to_dict()

    def search_index(self, index: VectorIndex, query: Picture, top: int = 10) -> list[Hit]:
        """The pictures of an index nearest to a text or a picture, best first."""
        return [Hit(match.key, match.score) for match in index.search(self(query).vector, top)]

    @property
    def engine(self) -> str:
        """Name of the inference engine; opens the text encoder where none is open yet."""
        return (self._sessions or [self._encoder("text")])[0].engine

    def _prepare(self, value: Picture) -> tuple[str, np.ndarray]:
        """Which graph an input goes to, and its tensor without the batch axis."""
        return ("text", self._tokens(str(value))) if _kind(value) == "text" else ("image", self.pixels(value))

    def _tokens(self, text: str) -> np.ndarray:
        ids = self._token_ids(text)
        if len(ids) == self._marks:
            raise InputError("input_empty", "a text has no words", "say what to look for")
        if len(ids) > self.max_tokens:
            raise InputError(
                "input_too_long",
                f"a text has {len(ids)} tokens, the model takes {self.max_tokens}: {text[:60]!r}",
                "shorten it",
            )
        return np.array(ids, np.int32)

    def _finish(self, graph: str, group: list[tuple[int, np.ndarray]], vectors: np.ndarray) -> None:
        """Run the inputs that wait, put their vectors in place, and forget them."""
        places = [place for place, _ in group]
        vectors[places] = self._run(graph, np.stack([tensor for _, tensor in group]))
        group.clear()

    def _run(self, graph: str, batch: np.ndarray) -> np.ndarray:
        """float32 [batch, dimension], each row of length 1."""
        vectors = self._encoder(graph).run({INPUTS[graph]: batch})["vector"]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (lengths > 0).all() or not np.isfinite(lengths).all():
            raise BackendError(
                "backend_nan",
                f"{self.bundle.manifest.name} gave a vector without a direction",
                "run edge-sdk verify on the bundle",
            )
        return vectors / lengths

    def _encoder(self, graph: str) -> Session:
        """The session of one encoder, opened once, whichever threads ask."""
        found = self._encoders.get(graph)
        if found is not None:
            return found
        with self._lock:
            self.check_open()
            if graph not in self._encoders:
                session = self.open_session(graph)
                self._check_graph(graph, session)
                self._encoders[graph] = session
            return self._encoders[graph]

    def _check_graph(self, graph: str, session: Session) -> None:
        size = self.preprocessing
        shape = (size.height, size.width, 3) if graph == "image" else session.inputs[0].shape[1:]
        inputs, outputs = session.inputs[0].shape[1:], session.outputs[0].shape[1:]
        if inputs != shape or outputs != (self.dimension,):
            raise BundleError(
                "bundle_graph_mismatch",
                f"the graph {graph} takes {list(inputs)} and gives {list(outputs)}, "
                f"the pipeline needs {list(shape)} and {[self.dimension]}",
                "export the bundle again: its graph and its pipeline do not fit",
            )


def _kind(value: object) -> str:
    """How an input is taken; what is no str is a picture, or a wrong type."""
    if not isinstance(value, str):
        return "image"
    return "image" if value.startswith(GALLERY) or value.lower().endswith(SUFFIXES) else "text"


def _shown(value: object) -> str | None:
    return str(value) if isinstance(value, (str, os.PathLike)) else None


def _numbers(section: Section, key: str) -> list[int]:
    numbers = section.items(key)
    for i, number in enumerate(numbers):
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 31:
            raise _wrong(f"{section.path}.{key}[{i}]", "the number of a token", repr(number)[:80])
    return numbers


def _gallery(bundle: Bundle, pipeline: Section, size: Preprocessing) -> dict[str, np.ndarray]:
    """The bundle's own pictures by name, uint8 [height, width, 3]."""
    if "gallery" not in pipeline.values:
        return {}
    section = pipeline.section("gallery")
    section.only("file", "names")
    names, pictures = section.texts("names"), bundle.read_array(section.text("file"))
    shape = len(names), size.height, size.width, 3
    if pictures.dtype != np.uint8 or pictures.shape != shape or len(set(names)) < len(names):
        found = f"{pictures.dtype} {list(pictures.shape)} and the names {', '.join(names)}"
        raise _wrong(section.path, f"uint8 {list(shape)} and as many different names", found)
    return dict(zip(names, pictures, strict=True))


def _wrong(path: str, expected: str, found: str) -> BundleError:
    return BundleError(
        "bundle_schema", f"{path}: found {found}, expected {expected}", "export the bundle again"
    )
