"""Converts arguments for native/include/edge_kernels/lattice.h; the functions' contract is in the reference."""

from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np
from numpy import ndarray

from edge_sdk.kernels.words import (
    MODES, check_borders, check_length, check_mode, check_scores, check_segment, check_words, no_path,
)

cdef extern from "edge_kernels/lattice.h" nogil:
    ctypedef int ek_status
    ek_status EK_OK, EK_NO_PATH
    ctypedef struct ek_words:
        const int32_t *starts
        const int32_t *ends
        size_t count
    size_t ek_lattice_best_size(size_t, size_t)
    ek_status ek_lattice_best(size_t, ek_words, const float *, void *, size_t, int32_t *, size_t *, double *)
    ek_status ek_lattice_borders(size_t, ek_words, uint8_t *)
    ek_status ek_lattice_cut(size_t, ek_words, const uint8_t *, uint8_t *)
    ek_status ek_lattice_link(size_t, ek_words, const uint8_t *, uint8_t *)
    size_t ek_segment_size(size_t, size_t, size_t)
    size_t ek_segment_most(int, size_t, size_t)
    ek_status ek_segment(int, size_t, ek_words, ek_words, void *, size_t, int32_t *, int32_t *, size_t *)
    const char *ek_status_message(ek_status)


cdef bint plain(object array, str dtype):
    """Whether an array can be read in place as it is. Values are checked by C, and by `check_*` for the message."""
    return isinstance(array, ndarray) and array.ndim == 1 and array.dtype.char == dtype and array.flags.c_contiguous


cdef ek_words view(const int32_t[::1] starts, const int32_t[::1] ends):
    cdef ek_words words
    words.count = starts.shape[0]
    words.starts = &starts[0] if words.count > 0 else NULL
    words.ends = &ends[0] if words.count > 0 else NULL
    return words


cdef object vector(const int32_t *data, size_t count):
    result = np.empty(count, np.int32)
    cdef int32_t[::1] target = result
    if count > 0:
        memcpy(&target[0], data, 4 * count)
    return result


def best_path(length, starts, ends, scores):
    """(int32[k] indices of the words on the best path, float sum of their scores)."""
    check_length(length)
    if not (plain(starts, "i") and plain(ends, "i") and plain(scores, "f") and len(starts) == len(ends) == len(scores)):
        starts, ends = check_words(length, starts, ends)
        scores = check_scores(scores, len(starts))
    cdef ek_words words = view(starts, ends)
    cdef const float[::1] weights = scores
    cdef size_t n = length, size = ek_lattice_best_size(n, words.count), count = 0
    cdef double score = 0.0
    cdef ek_status status
    cdef char *scratch = <char *>malloc(size + 4 * n)
    if scratch == NULL:
        raise MemoryError
    try:
        with nogil:
            status = ek_lattice_best(n, words, &weights[0] if words.count > 0 else NULL, scratch, size,
                                     <int32_t *>(scratch + size), &count, &score)
        if status == EK_NO_PATH:
            raise no_path(count, length)
        if status != EK_OK:
            check_words(length, starts, ends)
            check_scores(scores, words.count)
            raise AssertionError(ek_status_message(status).decode())
        return vector(<int32_t *>(scratch + size), count), score
    finally:
        free(scratch)


def extract_borders(length, starts, ends):
    """uint8[length + 1]: 1 where a word starts or ends."""
    check_length(length)
    if not (plain(starts, "i") and plain(ends, "i") and len(starts) == len(ends)):
        starts, ends = check_words(length, starts, ends)
    borders = np.empty(length + 1, np.uint8)
    cdef uint8_t[::1] result = borders
    cdef size_t n = length
    cdef ek_words words = view(starts, ends)
    cdef ek_status status
    with nogil:
        status = ek_lattice_borders(n, words, &result[0])
    if status != EK_OK:
        check_words(length, starts, ends)
        raise AssertionError(ek_status_message(status).decode())
    return borders


cdef object select(starts, ends, borders, bint cut):
    check_borders(borders)
    cdef const uint8_t[::1] marks = borders
    cdef size_t n = marks.shape[0] - 1
    if not (plain(starts, "i") and plain(ends, "i") and len(starts) == len(ends)):
        starts, ends = check_words(n, starts, ends)
    keep = np.empty(len(starts), np.uint8)
    cdef uint8_t[::1] result = keep
    cdef ek_words words = view(starts, ends)
    cdef ek_status status = EK_OK
    if words.count > 0:
        with nogil:
            if cut:
                status = ek_lattice_cut(n, words, &marks[0], &result[0])
            else:
                status = ek_lattice_link(n, words, &marks[0], &result[0])
    if status != EK_OK:
        check_words(n, starts, ends)
        raise AssertionError(ek_status_message(status).decode())
    return keep.view(np.bool_)


def cut_borders(starts, ends, borders):
    """bool[m]: the words that have no border strictly inside."""
    return select(starts, ends, borders, True)


def link_borders(starts, ends, borders):
    """bool[m]: the words both of whose ends are borders."""
    return select(starts, ends, borders, False)


def segment(mode, length, word_starts, word_ends, match_starts, match_ends):
    """(int32[k] starts, int32[k] ends) of the words at the granularity `mode`."""
    check_mode(mode)
    check_length(length)
    if not (plain(word_starts, "i") and plain(word_ends, "i") and len(word_starts) == len(word_ends)
            and plain(match_starts, "i") and plain(match_ends, "i") and len(match_starts) == len(match_ends)):
        word_starts, word_ends, match_starts, match_ends = check_segment(
            length, word_starts, word_ends, match_starts, match_ends)
    cdef ek_words words = view(word_starts, word_ends), matches = view(match_starts, match_ends)
    cdef int kind = MODES.index(mode)
    cdef size_t n = length, size = ek_segment_size(n, words.count, matches.count)
    cdef size_t most = ek_segment_most(kind, n, matches.count), count
    cdef ek_status status
    cdef char *scratch = <char *>malloc(size + 8 * most + 8)
    if scratch == NULL:
        raise MemoryError
    cdef int32_t *starts = <int32_t *>(scratch + size)
    cdef int32_t *ends = starts + most
    try:
        with nogil:
            status = ek_segment(kind, n, words, matches, scratch, size, starts, ends, &count)
        if status != EK_OK:
            check_segment(length, word_starts, word_ends, match_starts, match_ends)
            raise AssertionError(ek_status_message(status).decode())
        return vector(starts, count), vector(ends, count)
    finally:
        free(scratch)
