"""Hashed n-grams and runs of words compiled by Numba; the functions' contract is in the reference."""

from __future__ import annotations

import numpy as np
from numba import njit

from edge_sdk.kernels.phrase_scheme import check_phrases

__all__ = ["phrase_ngrams", "phrase_ngrams_many"]

_SPACE = 0x20
_WORD_GROUP = 64
_END = 3


@njit
def _number(codes, start, end, group, first, buckets):
    prime = np.uint32(0x01000193)
    h = np.uint32(np.uint32(0x811C9DC5) ^ np.uint32(group)) * prime
    for i in range(start, end):
        h = np.uint32(np.uint32(h ^ codes[i]) * prime)
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    h = np.uint32(h ^ (h >> np.uint32(16)))
    return first + np.int64(np.uint64(h) * np.uint64(buckets) >> np.uint64(32))


@njit(nogil=True)
def _numbers(codes, ngram_min, ngram_max, word_max, ngram_buckets, word_buckets):
    n_codes = len(codes)
    starts, ends = np.empty(n_codes, np.int64), np.empty(n_codes, np.int64)
    n_words = 0
    for i in range(1, n_codes):
        if codes[i] != _SPACE and codes[i - 1] == _SPACE:
            starts[n_words] = i
        if codes[i] == _SPACE and codes[i - 1] != _SPACE:
            ends[n_words] = i
            n_words += 1
    result = np.empty((ngram_max - ngram_min + 1) * n_codes + word_max * n_words + 1, np.int32)
    count = 0
    if n_words == 0:
        return result[:0]
    ended = codes.copy()
    ended[-1] = _END
    for n in range(ngram_min, ngram_max + 1):
        for start in range(n_codes - n + 1):
            result[count] = _number(ended, start, start + n, n, 1, ngram_buckets)
            count += 1
    for k in range(1, word_max + 1):
        for word in range(n_words - k + 1):
            start, end = starts[word] - 1, ends[word + k - 1] + 1
            result[count] = _number(codes, start, end, _WORD_GROUP + k, 1 + ngram_buckets, word_buckets)
            count += 1
    if word_max > 0:
        start, end = starts[n_words - 1] - 1, ends[n_words - 1] + 1
        result[count] = _number(codes, start, end, _WORD_GROUP, 1 + ngram_buckets, word_buckets)
        count += 1
    return result[:count]


def phrase_ngrams(text, scheme):
    check_phrases([text], scheme)
    codes = np.frombuffer(f" {text} ".encode("utf-32-le", "surrogatepass"), np.uint32)
    return _numbers(
        codes, scheme.ngram_min, scheme.ngram_max, scheme.word_max, scheme.ngram_buckets, scheme.word_buckets
    )


def phrase_ngrams_many(texts, scheme):
    check_phrases(texts, scheme)
    found = [phrase_ngrams(text, scheme) for text in texts]
    ends = np.cumsum([len(numbers) for numbers in found], dtype=np.int64)
    return np.concatenate([np.empty(0, np.int32), *found]), ends
