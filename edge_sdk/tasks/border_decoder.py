"""From the scores of tags to the places where words begin."""

from __future__ import annotations

import numpy as np

from edge_sdk.kernels import TagDecoder

B, I, O = range(3)
"""Tags: first of several characters, later one, a word of one character."""
NEVER = np.float32(-1e4)
"""Added to the score of a tag that must not be; finite, so that some path always remains."""
INSIDE_ONLY = np.array([NEVER, 0, NEVER], np.float32)
"""Added to a character that only I may have."""
BLOCK = 2048
"""Characters that are decoded at once; more are decoded in overlapping blocks."""
LOOK_AHEAD = 64
"""Characters after a block that are decoded with it, so that its last words are not cut short."""


class BorderDecoder:
    """A CRF over B, I and O. Safe to share between threads.

    Args:
        table: float32 [5, 3]: scores of going from tag (row) to tag (column), then start scores,
            then end scores. Which transitions are allowed follows from what the tags mean.
    """

    def __init__(self, table: np.ndarray) -> None:
        self._transitions, self._start, end = table[:3].copy(), table[3].copy(), table[4].copy()
        self._decoder = TagDecoder(
            self._transitions,
            self._start,
            end,
            allowed=np.array([[0, 1, 0], [1, 1, 1], [1, 0, 1]], np.uint8),
            allowed_start=np.array([1, 0, 1], np.uint8),
            allowed_end=np.array([0, 1, 1], np.uint8),
        )

    def borders(self, emissions: np.ndarray) -> np.ndarray:
        """Where words begin, 0 first: int32. `emissions` is float32 [n, 3], n at least 1."""
        if len(emissions) <= BLOCK:
            tags, _ = self._decoder.decode(emissions)
            return (tags != I).nonzero()[0].astype(np.int32)
        found = []
        first = 0
        last_tag = None
        while True:
            block = emissions[first : first + BLOCK + LOOK_AHEAD].copy()
            if last_tag is not None:
                block[0] += self._transitions[last_tag] - self._start
            tags, _ = self._decoder.decode(block)
            borders = np.flatnonzero(tags != I)
            if first + len(block) == len(emissions):
                found.append(borders + first)
                return np.concatenate(found).astype(np.int32)
            # Go on from a border that the path will not move any more; a word longer than a
            # block is cut.
            usable = borders[(borders > 0) & (borders <= BLOCK)]
            cut = int(usable[-1]) if len(usable) else BLOCK
            found.append(borders[borders < cut] + first)
            last_tag = tags[cut - 1] if len(usable) else I
            first += cut


def nudge(emissions: np.ndarray, starts: np.ndarray, ends: np.ndarray, pulls: np.ndarray) -> None:
    """Add to the emissions what words of a lexicon ask for, in place.

    A word adds its pull to B of its first character, to I of the others, and to B and O of the
    character after it, unless a longer word goes on there. Of several words that ask for the same
    tag the strongest counts.

    Args:
        emissions: float32 [n, 3].
        starts, ends: integers [matches], within the text.
        pulls: float32 [matches], at least 0.
    """
    added = np.zeros((len(emissions) + 1, 3), np.float32)
    np.maximum.at(added[:, B], starts, pulls)
    for offset in range(1, int((ends - starts).max(initial=0))):
        within = starts + offset < ends
        np.maximum.at(added[:, I], starts[within] + offset, pulls[within])
    free = added[ends, I] == 0
    np.maximum.at(added[:, O], ends[free], pulls[free])
    np.maximum.at(added[:, B], ends[free], pulls[free])
    emissions += added[:-1]
