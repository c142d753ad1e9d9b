"""Argument checks of the lattice that all faces share, so that they raise the same errors in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_sdk.errors import KernelError

MODES = ("normal", "fine", "coarse", "index")
MAX_LENGTH = 2**31 - 2


def check_length(length: Any) -> None:
    """Raises KernelError `bad_length`."""
    if not isinstance(length, (int, np.integer)) or not 0 <= length <= MAX_LENGTH:
        raise KernelError("bad_length", f"length is {length!r}", f"give an integer from 0 to {MAX_LENGTH}")


def _vector(name: str, array: Any, dtype: type, n: int | None = None) -> np.ndarray:
    fits = isinstance(array, np.ndarray) and array.dtype == dtype and array.ndim == 1
    if not fits or (n is not None and len(array) != n):
        found = f"{array.dtype}{list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
        size = "n" if n is None else str(n)
        raise KernelError("bad_words", f"{name} is {found}", f"give {np.dtype(dtype)}[{size}]")
    return np.ascontiguousarray(array)


def check_words(
    length: int, starts: Any, ends: Any, name: str = "word", ordered: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """int32[n], int32[n], contiguous. Raises KernelError `bad_words` (type or shape) or `bad_word`, naming the word."""
    starts = _vector(f"{name} starts", starts, np.int32)
    ends = _vector(f"{name} ends", ends, np.int32, len(starts))
    wrong = (starts < 0) | (ends <= starts) | (ends > length)
    if wrong.any():
        index = int(wrong.argmax())
        raise KernelError(
            "bad_word",
            f"{name} {index} is [{starts[index]}, {ends[index]}), the text has {length} characters",
            "give 0 <= start < end <= length",
        )
    if ordered and len(starts) > 1:
        falls = (starts[1:] < starts[:-1]) | ((starts[1:] == starts[:-1]) & (ends[1:] < ends[:-1]))
        if falls.any():
            raise KernelError(
                "bad_word", f"{name} {int(falls.argmax()) + 1} is out of order", "sort by start, then by end"
            )
    return starts, ends


def check_segment(
    length: int, word_starts: Any, word_ends: Any, match_starts: Any, match_ends: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Four int32 vectors, contiguous. Raises KernelError `bad_words` or `bad_word`: the words must tile the text, the
    matches be in order."""
    starts, ends = check_words(length, word_starts, word_ends)
    if not np.array_equal(np.append(0, ends), np.append(starts, length)):
        raise KernelError(
            "bad_words", f"the words do not tile the text of {length} characters", "give the model's whole segmentation"
        )
    return starts, ends, *check_words(length, match_starts, match_ends, "match", ordered=True)


def check_scores(scores: Any, n_words: int) -> np.ndarray:
    """float32[n]. Raises KernelError `bad_words` (type or shape) or `not_a_number`, naming the word."""
    scores = _vector("scores", scores, np.float32, n_words)
    wrong = ~(scores < np.inf)
    if wrong.any():
        index = int(wrong.argmax())
        raise KernelError(
            "not_a_number", f"word {index} has score {scores[index]}", "scores are finite, or minus infinity"
        )
    return scores


def check_borders(borders: Any) -> None:
    """Raises KernelError `bad_borders`."""
    if not (
        isinstance(borders, np.ndarray)
        and borders.dtype == np.uint8
        and borders.ndim == 1
        and len(borders) > 0
        and borders.flags.c_contiguous
        and borders.max() <= 1
    ):
        raise KernelError(
            "bad_borders", "borders is no uint8 vector of 0 and 1", "give what extract_borders() returned"
        )


def check_mode(mode: Any) -> None:
    """Raises KernelError `bad_mode`."""
    if mode not in MODES:
        raise KernelError("bad_mode", f"mode is {mode!r}", f"give one of {', '.join(MODES)}")


def no_path(reach: int, length: int) -> KernelError:
    """The error of a lattice whose end cannot be reached."""
    return KernelError(
        "no_path",
        f"no words lead from 0 to {length}: from the start they reach {reach} at most",
        "add a word for each character, so that there is always a path",
    )
