"""Pictures with texts: a folder with `pairs.tsv`, and the pictures beside it or in tar files.

pairs.tsv    columns split, image, name, and maybe coarse_name (a wider class); image is a path in the
             folder, or a member of a tar file there (SPLIT.tar)
classes.tsv  optional; columns name, description
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_sdk.evaluate.data import read_tsv
from edge_sdk.images import load_image

LARGEST_SIDE = 256
"""Pictures are kept in memory with a shorter side of at most this: training sees smaller crops."""
_TEMPLATES = (
    "{}", "{}", "{}", "a photo of {}", "a picture of {}", "{} in a shop", "a photo of {} in a store",
    "fresh {}", "a pack of {}", "buy {}", "the product {}", "someone holding {}",
)
_WIDER_TEMPLATES = ("{wider}: {}", "{}, {wider}")  # fmt: skip
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Pair:
    """A row of pairs.tsv."""

    image: str
    name: str
    coarse_name: str


def read_pairs(folder: Path, split: str) -> list[Pair]:
    """The rows of a split. Raises InputError of the reader; KeyError if a column is missing."""
    rows = [row for _, row in read_tsv(folder / "pairs.tsv") if row["split"] == split]
    return [Pair(row["image"], row["name"], row.get("coarse_name", "")) for row in rows]


def read_descriptions(folder: Path) -> dict[str, str]:
    """Descriptions by name; empty where there is no classes.tsv."""
    path = folder / "classes.tsv"
    return {row["name"]: row["description"] for _, row in read_tsv(path)} if path.exists() else {}


def read_images(folder: Path, pairs: Sequence[Pair]) -> list[np.ndarray]:
    """The pictures of the pairs, in their order: uint8 [height, width, 3].

    Raises InputError of `load_image`, FileNotFoundError if a picture is nowhere.
    """
    inside = {}
    missing = {pair.image for pair in pairs if not (folder / pair.image).is_file()}
    for path in sorted(folder.glob("*.tar")) if missing else ():
        with tarfile.open(path) as archive:
            for member in archive:
                if member.name in missing and (file := archive.extractfile(member)) is not None:
                    inside[member.name] = file.read()
    if missing - inside.keys():
        raise FileNotFoundError(f"{folder}: {min(missing - inside.keys())} is neither a file nor in a tar file")
    return [
        _shrunk(io.BytesIO(inside[name]) if name in inside else folder / name)
        for name in (pair.image for pair in pairs)
    ]


def _shrunk(source: Path | io.BytesIO) -> np.ndarray:
    image = load_image(source)
    if min(image.size) > LARGEST_SIDE:
        scale = LARGEST_SIDE / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)))
    return np.asarray(image)


class Phrases:
    """What may be said of each class: templates around its name, and its description.

    Attributes:
        names: the class names, sorted; a class is a number into them from here on.
        coarse: wider names -> the classes that they stand for.
    """

    def __init__(self, pairs: Sequence[Pair], descriptions: dict[str, str]) -> None:
        self.names = sorted({pair.name for pair in pairs})
        numbers = {name: number for number, name in enumerate(self.names)}
        self.coarse: dict[str, list[int]] = {}
        for name, wider in sorted({(pair.name, pair.coarse_name) for pair in pairs if pair.coarse_name}):
            self.coarse.setdefault(wider, []).append(numbers[name])
        wider_of = {number: wider for wider, group in self.coarse.items() for number in group}
        self._wider = [wider_of.get(number, "") for number in range(len(self.names))]
        self._sentences = [_SENTENCE.split(descriptions.get(name, "")) for name in self.names]
        self._owners: dict[str, set[int]] = {}
        for number, sentences in enumerate(self._sentences):
            for sentence in sentences:
                self._owners.setdefault(sentence, set()).add(number)

    def draw(self, number: int, described: bool) -> tuple[str, set[int]]:
        """A random text for a class, and all classes that it is true of.

        Args:
            described: a sentence of the description, or the name and one, instead of a template
                around the name: rarer words, and a few times as long.
        """
        name, wider = self.names[number], self._wider[number]
        sentences = self._sentences[number]
        if described and sentences[0]:
            sentence = sentences[np.random.randint(len(sentences))]
            if np.random.random() < 0.5:
                return f"{name}. {sentence}", {number}
            return sentence, self._owners[sentence]
        templates = _TEMPLATES + _WIDER_TEMPLATES if wider else _TEMPLATES
        return templates[np.random.randint(len(templates))].format(name, wider=wider), {number}

    def draw_coarse(self, wider: str) -> tuple[str, set[int]]:
        """A random text for a wider class."""
        template = _TEMPLATES[np.random.randint(len(_TEMPLATES))]
        return template.format(wider), set(self.coarse[wider])

    def corpus(self) -> Iterator[str]:
        """All texts, to train a vocabulary on; names weigh more than descriptions."""
        for name, wider, sentences in zip(self.names, self._wider, self._sentences):
            for template in _TEMPLATES:
                yield template.format(name)
                yield template.format(wider)
            yield from sentences


def labels_of(pairs: Sequence[Pair], names: Sequence[str]) -> np.ndarray:
    """The class of each pair: int64 [pairs]. Raises KeyError for a name that is not in `names`."""
    numbers = {name: number for number, name in enumerate(names)}
    return np.array([numbers[pair.name] for pair in pairs])
