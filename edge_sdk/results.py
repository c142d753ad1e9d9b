"""What tasks return: frozen dataclasses whose `to_dict()` is the JSON of `edge-sdk run --json`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Slot:
    """A labelled span of the caller's text.

    `start` and `end` count code points of the original string, so that
    `text == original[start:end]`; `score` is a probability in [0, 1].
    """

    label: str
    text: str
    start: int
    end: int
    score: float

    def to_dict(self) -> dict[str, Any]:
        """Keys `label`, `text`, `start`, `end`, `score`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TaggerResult:
    """The intent of an utterance and its slots, ordered by position.

    `text` is the caller's string unchanged; `score` is the probability of `intent` in [0, 1].
    """

    text: str
    intent: str
    score: float
    slots: tuple[Slot, ...]

    def to_dict(self) -> dict[str, Any]:
        """Keys `text`, `intent`, `score`, `slots` (a list of the slots' own dictionaries)."""
        return {
            "text": self.text,
            "intent": self.intent,
            "score": self.score,
            "slots": [slot.to_dict() for slot in self.slots],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A text or a picture as a vector; the dot product of two is the cosine of their angle.

    `input` is the caller's text or path, None for a picture that came as pixels; `kind` is "text"
    or "image"; `vector` is float32 [dimension], of length 1.
    """

    input: str | None
    kind: str
    vector: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Keys `input`, `kind`, `vector` (a list of numbers)."""
        return {"input": self.input, "kind": self.kind, "vector": self.vector.tolist()}


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that was found; `score` is a cosine, in [-1, 1]."""

    path: str
    score: float

    def to_dict(self) -> dict[str, Any]:
        """Keys `path`, `score`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A phrase that was found; `score` is a cosine, in [-1, 1]."""

    text: str
    score: float

    def to_dict(self) -> dict[str, Any]:
        """Keys `text`, `score`."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A phrase as a vector; the dot product of two is the cosine of their angle.

    `text` is the caller's string unchanged; `vector` is float32 [dimension], of length 1, or zeros for
    a text without letters and digits; `neighbours` are those that were asked for on the command line.
    """

    text: str
    vector: np.ndarray
    neighbours: tuple[Neighbour, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Keys `text`, `vector` (a list of numbers), and `neighbours` where they were asked for."""
        found = {"text": self.text, "vector": self.vector.tolist()}
        if self.neighbours is not None:
            found["neighbours"] = [neighbour.to_dict() for neighbour in self.neighbours]
        return found


@dataclass(frozen=True, slots=True)
class Translation:
    """A query in English.

    `text` is the caller's string unchanged; `score` is the natural logarithm of the probability
    of `translation` given the text, at most 0.
    """

    text: str
    translation: str
    score: float

    def to_dict(self) -> dict[str, Any]:
        """Keys `text`, `translation`, `score`."""
        return asdict(self)
