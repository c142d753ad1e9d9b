"""A frozen teacher, and batches that carry what it says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.common.checkpoint import load_tensors, save_tensors
from models.conaclip.checkpoint import load_model
from models.conaclip.clip_checkpoint import is_clip, load_clip
from models.conaclip.config import VitConfig
from models.conaclip.corpus import DESCRIBED, Batches
from models.conaclip.model import DualEncoder
from models.conaclip.tokens import Vocabulary, encode
from models.conaclip.validate import embed_images


def load_teacher(folder: Path) -> tuple[DualEncoder, Vocabulary]:
    """A model of `models.conaclip.train`, or a CLIP checkpoint; in evaluation mode, without gradients.

    Raises OSError, ValueError.
    """
    model, vocabulary = load_clip(folder) if is_clip(folder) else load_model(folder)
    return model.eval().requires_grad_(False), vocabulary


def start_from_teacher(student: DualEncoder, teacher: DualEncoder) -> None:
    """Copy the teacher's first text layers into the student, as the paper does.

    Embeddings, norm and projection come along. Raises ValueError where the widths differ.
    """
    ours, theirs = student.config.text, teacher.config.text
    same = ("width", "heads", "vocabulary", "length", "activation")
    wrong = [name for name in same if getattr(ours, name) != getattr(theirs, name)]
    if wrong or ours.layers > theirs.layers or student.config.dimension != teacher.config.dimension:
        raise ValueError(
            f"a text tower {ours} of dimension {student.config.dimension} cannot start from the first "
            f"layers of {theirs} of dimension {teacher.config.dimension}"
        )
    mine = student.text.state_dict()
    student.text.load_state_dict({name: teacher.text.state_dict()[name] for name in mine})


@dataclass(frozen=True)
class TaughtBatches:
    """Batches of pairs with the teacher's features.

    Each is a dict: `pixels` uint8 [batch, size, size, 3]; `tokens` int64 [batch, n], a
    random text of each picture's class; `tt` and `it` float32 [batch, dimension], what the teacher
    makes of those texts and of the same views.
    """

    batches: Batches
    teacher: DualEncoder
    vocabulary: Vocabulary
    size: int | None = None
    """Side of the student's pictures, where it is not that of the views, which the teacher sees."""

    def __len__(self) -> int:
        return len(self.batches)

    def description(self) -> dict[str, Any]:
        """What of it defines a training, as plain types."""
        return {**self.batches.description(), "size": self.size}

    def __call__(self) -> Iterator[dict[str, Tensor]]:
        phrases, reader = self.batches.corpus.phrases, self.vocabulary.reader()
        for batch in self.batches():
            classes = batch["share"].argmax(1).tolist()
            described = np.random.random() < DESCRIBED
            texts = [phrases.draw(number, described)[0] for number in classes]
            tokens = encode(reader, texts, self.teacher.config.text.length)
            with torch.no_grad():
                spoken = self.teacher.encode_text(tokens)
            yield {
                "pixels": resized(batch["pixels"], self.size or batch["pixels"].shape[1]),
                "tokens": tokens,
                "tt": spoken,
                "it": embed_images(self.teacher, self._for_teacher(batch["pixels"])),
            }

    def _for_teacher(self, pixels: Tensor) -> Tensor:
        image = self.teacher.config.image
        return resized(pixels, image.size) if isinstance(image, VitConfig) else pixels


class CachedBatches:
    """Epochs of other batches, computed once, kept in a file, and then repeated.

    Trainings that are compared see the same, and pay nothing for the teacher.
    """

    def __init__(self, taught: TaughtBatches, epochs: int, path: Path) -> None:
        """Raises ValueError where the file holds batches of another description."""
        self._description = {**taught.description(), "cached": epochs}
        if not path.exists():
            kept = {"description": self._description, "epochs": [list(taught()) for _ in range(epochs)]}
            path.parent.mkdir(parents=True, exist_ok=True)
            save_tensors(path, kept)
        stored = load_tensors(path)
        if stored["description"] != self._description:
            raise ValueError(f"{path} holds views made with other settings; give another folder")
        self._epochs = stored["epochs"]

    def __len__(self) -> int:
        return len(self._epochs[0])

    def description(self) -> dict[str, Any]:
        """What of it defines a training, as plain types."""
        return self._description

    def __call__(self) -> Iterator[dict[str, Tensor]]:
        """A random one of the epochs, in random order."""
        epoch = self._epochs[np.random.randint(len(self._epochs))]
        for number in np.random.permutation(len(epoch)):
            yield epoch[number]


def resized(pixels: Tensor, size: int) -> Tensor:
    """Square pictures, uint8 [batch, s, s, 3], at another size, averaged over areas."""
    if pixels.shape[1] == size:
        return pixels
    images = functional.interpolate(
        pixels.permute(0, 3, 1, 2).float(), (size, size), mode="bilinear", antialias=True
    )
    return images.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
