"""Batches of rows of similar length, so that little padding is computed."""

from __future__ import annotations

import random
from collections.abc import Sequence


def length_sorted_batches(
    lengths: Sequence[int], batch_size: int, noise: float = 1.5
) -> list[list[int]]:
    """Row numbers in shuffled batches of similar length; every row once.

    `noise` is the spread, in tokens, that mixes rows of neighbouring lengths anew each epoch.
    Uses Python's global generator.
    """
    order = sorted(range(len(lengths)), key=lambda row: lengths[row] + random.random() * noise)
    batches = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]
    random.shuffle(batches)
    return batches
