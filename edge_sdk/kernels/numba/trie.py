"""The trie's look-ups compiled by Numba; the contract, the stored form and the rest are the reference's."""

from __future__ import annotations

import numpy as np
from numba import njit

from edge_sdk.kernels.lexicon import Matches
from edge_sdk.kernels.reference import trie as reference
from edge_sdk.kernels.reference.trie import Overlay
from edge_sdk.kernels.reference.trie_build import CODE, LEAF, MOVED, WORD_HERE

__all__ = ["Overlay", "Trie"]


@njit(cache=True, nogil=True)
def _child(checks, base, symbol):
    slot = base + symbol
    if slot + 1 >= len(checks):
        return -1
    if checks[slot] & (CODE | MOVED) == symbol:
        return slot
    return slot + 1 if checks[slot + 1] & (CODE | MOVED) == symbol | MOVED else -1


@njit(cache=True, nogil=True)
def _tail_of(tails_of, tails, slot):
    bits = np.int64(tails_of[slot // 32, 1])
    if not bits >> (slot % 32) & 1:
        return -1
    tail = np.int64(tails_of[slot // 32, 0])
    for other in range(slot % 32):
        if bits >> other & 1:
            while tail < len(tails) and not tails[tail] & LEAF:
                tail += 1
            tail += 1
    return tail


@njit(cache=True, nogil=True)
def _matches(root, slot_values, tails_of, checks, tails, symbols, character, n_starts):
    """Starts, ends and values of all matches at the first `n_starts` characters; the arrays grow by doubling."""
    n, count = len(symbols), 0
    found = np.empty((3, max(16, n_starts)), np.int64)
    for first in range(n):
        if character[first] >= n_starts:
            break
        if first > 0 and character[first - 1] == character[first]:
            continue
        base = np.int64(root)
        for at in range(first, n):
            slot = _child(checks, base, symbols[at])
            if slot < 0:
                break
            leaf = checks[slot] & LEAF != 0
            value = np.int64(slot_values[slot])
            word = leaf
            if leaf:
                tail = _tail_of(tails_of, tails, slot)
                while tail >= 0 and word:
                    at += 1
                    word = at < n and tail < len(tails) and tails[tail] & CODE == symbols[at]
                    tail = -1 if word and tails[tail] & LEAF else tail + 1
            else:
                base = value & (WORD_HERE - 1)
                slot = _child(checks, base, 0) if value & WORD_HERE else -1
                word = slot >= 0
                value = np.int64(slot_values[slot]) if word else value
            if word and (at + 1 == n or character[at + 1] != character[at]):
                if count == found.shape[1]:
                    larger = np.empty((3, 2 * count), np.int64)
                    larger[:, :count] = found
                    found = larger
                found[0, count], found[1, count], found[2, count] = character[first], character[at] + 1, value
                count += 1
            if leaf:
                break
    return found[:, :count]


class Trie(reference.Trie):
    """A static lexicon: words, each with an int32 or a float32. Immutable, safe to share between threads."""

    def _matches(self, text: str, n_starts: int) -> Matches:
        symbols, character = self._spell(text)
        starts, ends, values = _matches(
            self._root, self._values, self._tails_of, self._checks, self._tails, symbols, character, n_starts
        )
        return Matches(starts.astype(np.int32), ends.astype(np.int32), values.astype(np.uint32).view(self.dtype))
