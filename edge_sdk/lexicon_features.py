"""What a lexicon says about each character of a text, as one small number a model can look up.

For every character: the length of the longest lexicon word that begins there, that ends there, and
that has it strictly inside. Lengths above LONGEST count as LONGEST; words of one character say
nothing. Training uses this same copy.
"""

from __future__ import annotations

import numpy as np

LONGEST = 5
_BEGINS = LONGEST  # no word, 2, 3, 4, 5 or more
_INSIDES = LONGEST - 1  # no word, 3, 4, 5 or more
SIZE = _BEGINS * _INSIDES * _BEGINS
"""Number of different features; 0 is "no word touches this character"."""


def lexicon_features(size: int, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Features of `size` characters: int32 [size], in [0, SIZE).

    Args:
        starts: integer [matches], first character of each lexicon word that was found.
        lengths: integer [matches], its characters; every word lies within the text.
    """
    if not len(starts):
        return np.zeros(size, np.int32)
    # By growing length, so that among equal places the longest word is written last and stays.
    order = np.argsort(lengths, kind="stable")
    starts, lengths = starts[order], lengths[order]
    level = np.minimum(lengths, LONGEST).astype(np.int32)
    begins, insides, ends = np.zeros((3, size), np.int32)
    begins[starts] = level - 1
    ends[starts + lengths - 1] = level - 1
    first = np.searchsorted(lengths, 2, side="right")  # only words longer than 2 have an inside
    starts, lengths, level = starts[first:], lengths[first:], level[first:]
    offset = 1
    while len(starts):
        insides[starts + offset] = np.maximum(insides[starts + offset], level - 2)
        offset += 1
        first = np.searchsorted(lengths, offset + 1, side="right")
        starts, lengths, level = starts[first:], lengths[first:], level[first:]
    return (begins * _INSIDES + insides) * _BEGINS + ends
