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


def lexicon_features(size: int, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Features of `size` characters: int32 [size], in [0, SIZE).

    Args:
        starts, ends: integers [matches], the places of the lexicon words that were found, by
            start, then by end, as a trie gives them; within the text.
    """
    features = np.zeros(size, np.int32)
    if not len(starts):
        return features
    lengths = ends - starts
    level = np.minimum(lengths, LONGEST) - 1
    # Of words that begin together the longest comes last, of words that end together first: in
    # an assignment to equal places the last one stays.
    features[starts] = level * (_INSIDES * _BEGINS)
    closing = np.zeros(size, np.int32)
    closing[ends[::-1] - 1] = level[::-1]
    features += closing
    long = np.flatnonzero(lengths > 2)
    if len(long):
        insides = [0] * size
        for start, end, value in zip(starts[long].tolist(), ends[long].tolist(), level[long].tolist()):
            for place in range(start + 1, end - 1):
                if insides[place] < value:
                    insides[place] = value
        # A word of three, the shortest that has an inside, is level 2 and counts 1.
        inside = np.array(insides, np.int32)
        features += np.maximum(inside - 1, 0) * _BEGINS
    return features
