"""The tags of a character, and the words that a sequence of tags stands for.

The method names them B, I and O without defining O. Here O is "outside any word of several
characters", that is, a word of one character; B begins a longer word and I continues it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

B, I, O = range(3)
TAGS = ("B", "I", "O")


def word_tags(words: Iterable[str]) -> np.ndarray:
    """Tags of the characters of consecutive words: uint8 [sum of lengths]."""
    tags: list[int] = []
    for word in words:
        tags += [O] if len(word) == 1 else [B] + [I] * (len(word) - 1)
    return np.array(tags, np.uint8)


def allowed() -> tuple[Tensor, Tensor, Tensor]:
    """bool [from, to], bool [first], bool [last]: B is followed by I, only B and I by I."""
    moves = torch.tensor([[0, 1, 0], [1, 1, 1], [1, 0, 1]], dtype=torch.bool)
    return moves, torch.tensor([True, False, True]), torch.tensor([False, True, True])
