"""When decoding ends at the latest, whatever the model says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LengthLimit:
    """A target has at most ratio * source length + extra tokens, and never more than `maximum`.

    Source and target are counted without END. A target at its limit is ended: END is what counts
    as its next token, with END's probability.
    """

    ratio: float
    extra: int
    maximum: int

    def __call__(self, source_length: int) -> int:
        """Most tokens of the target."""
        return min(self.maximum, int(self.ratio * source_length) + self.extra)
