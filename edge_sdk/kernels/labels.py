"""Tag names of the BIO and BIOES schemes, parsed once and shared by all faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge_sdk.errors import KernelError

KINDS = "OBIES"  # a kind's number is its place here


@dataclass(frozen=True)
class TagLabels:
    """The tag names of a model, in the order of its scores.

    Attributes:
        names: "O", or "B-x", "I-x", "E-x", "S-x" with any non-empty type x. One with E or S makes the set BIOES.

    Raises:
        KernelError: `bad_label`, naming the first name that is none of these, and its place.
    """

    names: tuple[str, ...]

    def __init__(self, names: Sequence[str]) -> None:
        object.__setattr__(self, "names", tuple(names))
        for index, name in enumerate(self.names):
            if name != "O" and not (isinstance(name, str) and len(name) > 2 and name[0] in "BIES" and name[1] == "-"):
                raise KernelError(
                    "bad_label", f"tag {index} is named {name!r}", "name tags O, B-x, I-x, E-x or S-x with a type x"
                )

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def kinds(self) -> np.ndarray:
        """uint8[T]: 0 for O, 1 for B, 2 for I, 3 for E, 4 for S."""
        return np.array([KINDS.index(name[0]) for name in self.names], np.uint8)

    @cached_property
    def type_names(self) -> tuple[str, ...]:
        """The types in the order of their first appearance."""
        return tuple(dict.fromkeys(name[2:] for name in self.names if name != "O"))

    @cached_property
    def types(self) -> np.ndarray:
        """int32[T]: place of a tag's type in `type_names`, -1 for O."""
        place = {name: index for index, name in enumerate(self.type_names)}
        return np.array([place.get(name[2:], -1) for name in self.names], np.int32)
