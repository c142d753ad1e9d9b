"""What all faces of the trie share: the type of a result, and the argument checks with their errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from edge_sdk.errors import KernelError

DTYPES = (np.dtype(np.int32), np.dtype(np.float32))  # value kinds 0 and 1 of the stored format
Values = Sequence[int] | Sequence[float] | np.ndarray


class Matches(NamedTuple):
    """Words found in a text, ordered by start, then by end: word i is `text[starts[i]:ends[i]]`.

    starts, ends: int32[n], in code points (Python's str indices).
    values: int32[n] or float32[n], what the trie stores with each word.
    """

    starts: np.ndarray
    ends: np.ndarray
    values: np.ndarray


def bad_trie(what: str) -> KernelError:
    """The error of bytes that are not a trie, or not any more."""
    return KernelError("bad_trie", f"the stored trie cannot be read: {what}", "get the file again, or rebuild it")


def check_words(words: Iterable[str]) -> list[str]:
    """The words as a list. Raises KernelError `bad_words`, or `bad_word` naming the word."""
    if isinstance(words, (str, bytes)) or not isinstance(words, Iterable):
        raise KernelError("bad_words", f"words is a {type(words).__name__}", "give a list of str")
    listed = list(words)
    for index, word in enumerate(listed):
        if not isinstance(word, str) or not word:
            raise KernelError(
                "bad_word", f"word {index} is {word!r}", "give each word as a str of at least one character"
            )
    return listed


def check_values(values: Values | None, n_words: int) -> np.ndarray:
    """int32[n] or float32[n]; None numbers the words. Raises KernelError `bad_values`."""
    if values is None:
        return np.arange(n_words, dtype=np.int32)
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError, TypeError) as error:
        raise KernelError("bad_values", f"values are no array of numbers: {error}", "give one number a word") from None
    if array.size == 0 and n_words == 0:
        return np.empty(0, np.int32 if array.dtype.kind in "biu" or not isinstance(values, np.ndarray) else np.float32)
    if array.shape != (n_words,):
        raise KernelError("bad_values", f"{n_words} words, but values of shape {array.shape}", "give one value a word")
    if array.dtype.kind in "iu":
        if array.size and (array.min() < -(2**31) or array.max() >= 2**31):
            raise KernelError("bad_values", "a value does not fit into 32 bits", "give integers from -2^31 to 2^31 - 1")
        return np.ascontiguousarray(array, dtype=np.int32)
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            weights = np.ascontiguousarray(array, dtype=np.float32)
        if not np.isfinite(weights).all():
            index = int(np.flatnonzero(~np.isfinite(weights))[0])
            raise KernelError("bad_values", f"value {index} is {array[index]}", "give finite numbers, as float32 holds")
        return weights
    raise KernelError("bad_values", f"values are {array.dtype}", "give integers or floats")


def check_value(value: Any, dtype: np.dtype) -> int | float:
    """One value as the trie would store it. Raises KernelError `bad_values`."""
    if isinstance(value, (bool, str, bytes)) or (dtype == DTYPES[0] and not isinstance(value, (int, np.integer))):
        raise KernelError("bad_values", f"value is {value!r}", f"the trie stores {dtype}")
    return (check_values([value], 1) if dtype == DTYPES[0] else check_values([float(value)], 1))[0].item()


def check_word(word: Any) -> None:
    """Raises KernelError `bad_word`."""
    if not isinstance(word, str) or not word:
        raise KernelError("bad_word", f"word is {word!r}", "give a str of at least one character")


def check_text(text: Any) -> None:
    """Raises KernelError `bad_text`."""
    if not isinstance(text, str):
        raise KernelError("bad_text", f"text is a {type(text).__name__}", "give a str")
    if len(text) >= 2**31:
        raise KernelError("bad_text", f"text has {len(text)} characters", "give at most 2^31 - 1 at a time")


def check_start(start: Any, length: int) -> None:
    """Raises KernelError `bad_start`."""
    if not isinstance(start, (int, np.integer)) or not 0 <= start <= length:
        raise KernelError("bad_start", f"start is {start!r}", f"give an index from 0 to {length}")


def check_limit(limit: Any) -> None:
    """Raises KernelError `bad_limit`."""
    if limit is not None and (not isinstance(limit, int) or limit < 0):
        raise KernelError("bad_limit", f"limit is {limit!r}", "give how many words at most, or None for all")
