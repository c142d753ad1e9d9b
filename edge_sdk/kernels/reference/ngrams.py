"""Hashed character n-grams and runs of words of a phrase: edge_sdk/kernels/phrase_scheme.py defines them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from edge_sdk.kernels.phrase_scheme import PhraseScheme, check_phrases

_BASIS, _PRIME = np.uint32(0x811C9DC5), np.uint32(0x01000193)
_WORD_GROUP = 64
_END = 3
_WORD = re.compile("[^ ]+")


def phrase_ngrams(text: str, scheme: PhraseScheme) -> np.ndarray:
    """The numbers of a phrase's features: int32 [n], in the order that the scheme states.

    Any str will do; lone surrogates are code points like others. Without a word there is no feature.

    Raises:
        KernelError: `bad_scheme`, `bad_text`.
    """
    return phrase_ngrams_many([text], scheme)[0]


def phrase_ngrams_many(
    texts: Sequence[str], scheme: PhraseScheme
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of many phrases, one after the other, and where each one's end.

    Returns:
        int32 [n], and int64 [len(texts)]: phrase i has the numbers ends[i - 1] (0 for the first) to ends[i].

    Raises:
        KernelError: `bad_scheme`, `bad_text`.
    """
    check_phrases(texts, scheme)
    found = [_of_one(text, scheme) for text in texts]
    ends = np.cumsum([len(numbers) for numbers in found], dtype=np.int64)
    return np.concatenate([np.empty(0, np.int32), *found]), ends


def _of_one(text: str, scheme: PhraseScheme) -> np.ndarray:
    words = [match.span() for match in _WORD.finditer(text)]
    if not words:
        return np.empty(0, np.int32)
    codes = np.frombuffer(f" {text} ".encode("utf-32-le", "surrogatepass"), "<u4")
    ended = np.append(codes[:-1], np.uint32(_END))
    windows, runs = [], []
    for n in range(scheme.ngram_min, min(scheme.ngram_max, len(codes)) + 1):
        windows.append(_hashes(np.lib.stride_tricks.sliding_window_view(ended, n), n))
    for k in range(1, min(scheme.word_max, len(words)) + 1):
        for (start, _), (_, end) in zip(words, words[k - 1 :]):
            # In `codes` everything stands one further; the spaces around the run belong to it.
            runs.append(_hashes(codes[None, start : end + 2], _WORD_GROUP + k))
    if scheme.word_max > 0:
        start, end = words[-1]
        runs.append(_hashes(codes[None, start : end + 2], _WORD_GROUP))
    return np.concatenate(
        [
            *(_scaled(h, 1, scheme.ngram_buckets) for h in windows),
            *(_scaled(h, 1 + scheme.ngram_buckets, scheme.word_buckets) for h in runs),
            np.empty(0, np.int32),
        ]
    )


def _hashes(features: np.ndarray, group: int) -> np.ndarray:
    """uint32 [n] of uint32 [n, length]: FNV-1a, then the finaliser of MurmurHash3."""
    h = np.full(len(features), (_BASIS ^ np.uint32(group)), np.uint32) * _PRIME
    for codes in features.T:
        h = (h ^ codes) * _PRIME
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def _scaled(hashes: np.ndarray, first: int, size: int) -> np.ndarray:
    return (first + (hashes.astype(np.uint64) * np.uint64(size) >> np.uint64(32)).astype(np.int64)).astype(np.int32)
