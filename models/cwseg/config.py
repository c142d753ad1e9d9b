"""Sizes of the members of a cohort, and their names on the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass


_NAME = re.compile(r"(window|transformer)-(\d+)x(\d+)|bert-(\d+)")


@dataclass(frozen=True)
class MemberConfig:
    """Sizes of one member. Widths count vector components."""

    encoder: str = "window"
    """"window" (layers of width 3), "transformer" (from scratch) or "bert" (a checkpoint)."""
    layers: int = 2
    width: int = 64
    character_width: int = 48
    bigram_width: int = 32
    bigram_buckets: int = 1 << 15
    lexicon_width: int = 16
    dropout: float = 0.2
    checkpoint: str = ""
    """Folder of a BERT checkpoint in the Hugging Face layout."""

    @property
    def name(self) -> str:
        """As `parse_member` reads it."""
        size = f"{self.layers}" if self.encoder == "bert" else f"{self.layers}x{self.width}"
        return f"{self.encoder}-{size}"


def parse_member(name: str, checkpoint: str = "") -> MemberConfig:
    """`window-LAYERSxWIDTH`, `transformer-LAYERSxWIDTH` or `bert-LAYERS` (of `checkpoint`).

    Raises ValueError.
    """
    match = _NAME.fullmatch(name)
    if not match:
        raise ValueError(f"member {name!r}: expected window-2x64, transformer-2x128 or bert-1")
    if match[4]:
        if not checkpoint:
            raise ValueError(f"member {name} needs --bert, the folder of a checkpoint")
        return MemberConfig(encoder="bert", layers=int(match[4]), checkpoint=checkpoint)
    return MemberConfig(encoder=match[1], layers=int(match[2]), width=int(match[3]))


