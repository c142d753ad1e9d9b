"""Sizes of the members of a cohort, and their names on the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"(window|transformer)(\d?)-(\d+)x(\d+)|bert-(\d+)")
_LARGE = 128  # members at least so wide get wider embeddings


@dataclass(frozen=True)
class MemberConfig:
    """Sizes of one member. Widths count vector components."""

    encoder: str = "window"
    """"window" (dense layers over neighbours), "transformer" (from scratch) or "bert"."""
    layers: int = 2
    width: int = 64
    span: int = 1
    """How many neighbours to each side a window layer takes in."""
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
        if self.encoder == "bert":
            return f"bert-{self.layers}"
        span = str(self.span) if self.encoder == "window" and self.span != 1 else ""
        return f"{self.encoder}{span}-{self.layers}x{self.width}"


def parse_member(name: str, checkpoint: str = "") -> MemberConfig:
    """A member by its name: `window[SPAN]-LAYERSxWIDTH` (SPAN is 1 if left out),
    `transformer-LAYERSxWIDTH`, or `bert-LAYERS` (of `checkpoint`).

    Raises ValueError.
    """
    match = _NAME.fullmatch(name)
    if not match or (match[1] == "transformer" and match[2]):
        raise ValueError(f"member {name!r}: expected such as window-2x64, transformer-2x128, bert-1")
    if match[5]:
        if not checkpoint:
            raise ValueError(f"member {name} needs --bert, the folder of a checkpoint")
        return MemberConfig(encoder="bert", layers=int(match[5]), checkpoint=checkpoint)
    kind, span, layers, width = match[1], int(match[2] or 1), int(match[3]), int(match[4])
    sizes = {"character_width": 80, "bigram_width": 48, "lexicon_width": 32} if width >= _LARGE else {}
    return MemberConfig(kind, layers, width, span, **sizes)
