"""What a character tagger sees of a text: identities, hashed bigrams, and what a lexicon says."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_sdk.errors import KernelError
from edge_sdk.kernels.identities import (
    DIGIT,
    EDGE,
    FIRST_KNOWN,
    FIRST_LETTER,
    LETTER,
    LONGEST,
    MARK,
    TABLE_SIZE,
)

_INSIDES = LONGEST - 1


def character_inputs(
    text: str, table: np.ndarray, buckets: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Identities, bigrams, and which characters never begin a word.

    Args:
        text: any str; lone surrogates are characters like others.
        table: uint16 [TABLE_SIZE], identity of each code point; the last entry is for all astral ones.
        buckets: a power of two from 2 to 2^24.

    Returns:
        int32 [n], from the table; int32 [n] in [0, buckets), see `bigrams`; bool [n], see
        `inside_words`, or None where that would be all False.

    Raises:
        KernelError: `bad_text`, `bad_table`, `bad_buckets`.
    """
    check_inputs(text, table, buckets)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    identities = table[np.minimum(codes, TABLE_SIZE - 1)].astype(np.int32)
    inside = inside_words(identities)
    return identities, bigrams(identities, buckets), inside if inside.any() else None


def bigrams(identities: np.ndarray, buckets: int) -> np.ndarray:
    """Hashed pairs of each character and the one before it; EDGE stands before the first.

    The hash is multiply-shift (Dietzfelbinger et al., 1997): the high bits of a sum of products
    mod 2^32.
    """
    characters = identities.astype(np.uint32)
    pairs = characters * np.uint32(0x9E3779B1)
    pairs[1:] += characters[:-1] * np.uint32(0x85EBCA77)
    return (pairs >> np.uint32(33 - buckets.bit_length())).astype(np.int32)


def inside_words(identities: np.ndarray) -> np.ndarray:
    """A letter after a letter (of an alphabet, not Han), a digit after a digit, and a mark, unless
    it stands at an edge."""
    letter = (identities == LETTER) | ((identities >= FIRST_LETTER) & (identities < FIRST_KNOWN))
    digit = identities == DIGIT
    inside = identities == MARK
    inside[1:] &= identities[:-1] != EDGE
    inside[1:] |= (letter[1:] & letter[:-1]) | (digit[1:] & digit[:-1])
    inside[:1] = False
    return inside


def lexicon_features(size: int, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """What a lexicon says about each of `size` characters: int32 [size], in [0, LEXICON_FEATURES).

    For every character: the length of the longest lexicon word that begins there, that has it
    strictly inside, and that ends there. Lengths above LONGEST count as LONGEST; words of one
    character say nothing.

    Args:
        starts, ends: int32 [matches], the places of the words that were found.

    Raises:
        KernelError: `bad_words` where they are no such arrays, or a word is not within the text.
    """
    check_places(size, starts, ends)
    # By growing length: in an assignment to equal places the last one, the longest, stays.
    order = np.argsort(ends - starts, kind="stable")
    starts, ends = starts[order], ends[order]
    first = np.searchsorted(ends - starts, 2)
    starts, ends = starts[first:], ends[first:]
    level = np.minimum(ends - starts, LONGEST).astype(np.int32) - 1
    begins, insides, closes = np.zeros((3, size), np.int32)
    begins[starts] = level
    closes[ends - 1] = level
    offset = 1
    while len(starts):
        within = starts + offset < ends - 1
        starts, ends, level = starts[within], ends[within], level[within]
        insides[starts + offset] = np.maximum(insides[starts + offset], level - 1)
        offset += 1
    return (begins * _INSIDES + insides) * LONGEST + closes


def check_inputs(text: object, table: object, buckets: object) -> None:
    """Raises KernelError for arguments of `character_inputs`; all faces use it."""
    if not isinstance(text, str):
        raise KernelError("bad_text", f"text is a {type(text).__name__}", "give a str")
    if not isinstance(table, np.ndarray) or table.dtype != np.uint16 or table.shape != (TABLE_SIZE,):
        raise KernelError("bad_table", "the table of identities does not fit", f"give uint16[{TABLE_SIZE}]")
    if not isinstance(buckets, int) or not 2 <= buckets <= 1 << 24 or buckets & (buckets - 1):
        raise KernelError("bad_buckets", f"buckets is {buckets!r}", "give a power of two from 2 to 2^24")


def check_places(size: int, starts: Any, ends: Any) -> None:
    """Raises KernelError for arguments of `lexicon_features`; all faces use it."""
    arrays = (starts, ends)
    if any(not isinstance(a, np.ndarray) or a.dtype != np.int32 or a.ndim != 1 for a in arrays):
        raise KernelError("bad_words", "starts and ends are no int32 vectors", "give a trie's matches")
    if starts.shape != ends.shape:
        raise KernelError("bad_words", f"{len(starts)} starts, {len(ends)} ends", "give one each a word")
    if len(starts) and (starts.min() < 0 or (ends <= starts).any() or ends.max() > size):
        raise KernelError("bad_words", f"a word is empty or not within {size} characters", "give matches of this text")
