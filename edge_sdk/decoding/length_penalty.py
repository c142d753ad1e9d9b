"""Comparing hypotheses of different lengths."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LengthPenalty:
    """log_p / length ** alpha, as OpenNMT's "avg" for alpha = 1; 0 compares probabilities.

    Lengths count END. Each token makes a target less probable, so that without a penalty of
    length (which is a reward, in fact) beam search prefers short targets.
    """

    alpha: float

    def __call__(self, log_p: float, length: int) -> float:
        """What hypotheses are ranked by; larger is better."""
        return log_p / length**self.alpha

    def bound(self, log_p: float, longest: int) -> float:
        """No continuation of a hypothesis with this log_p that has at most `longest` tokens,
        END included, is ranked higher: log_p only falls, and the longest divides it by most.
        """
        return self(log_p, longest)
