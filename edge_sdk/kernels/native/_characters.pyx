"""Converts arguments for native/include/edge_kernels/characters.h; the contract is in the reference."""

from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t

import numpy as np
from numpy import ndarray

from edge_sdk.kernels.reference.characters import check_inputs, check_places

cdef extern from "edge_kernels/characters.h" nogil:
    ctypedef int ek_status
    ek_status EK_OK
    uint32_t EK_IDENTITY_TABLE
    ctypedef struct ek_ucs:
        const void *data
        size_t length
        uint32_t width
    ctypedef struct ek_words:
        const int32_t *starts
        const int32_t *ends
        size_t count
    ek_status ek_identities(ek_ucs, const uint16_t *, int32_t *)
    ek_status ek_bigrams(const int32_t *, size_t, uint32_t, int32_t *)
    ek_status ek_inside_words(const int32_t *, size_t, uint8_t *, size_t *)
    ek_status ek_lexicon_features(size_t, ek_words, int32_t *)
    const char *ek_status_message(ek_status)

cdef extern from "Python.h":
    int PyUnicode_KIND(object)
    void *PyUnicode_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    bint PyUnicode_Check(object)


cdef bint vector(object array, str dtype):
    return isinstance(array, ndarray) and array.ndim == 1 and array.dtype.char == dtype and array.flags.c_contiguous


def character_inputs(text, table, buckets):
    """(int32[n] identities, int32[n] bigrams, bool[n] of what never begins a word, or None)."""
    if not PyUnicode_Check(text) or not vector(table, "H") or len(table) != EK_IDENTITY_TABLE:
        check_inputs(text, table, buckets)
        table = np.ascontiguousarray(table)
    cdef Py_ssize_t n = PyUnicode_GET_LENGTH(text)
    identities, bigrams, inside = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.bool_)
    cdef const uint16_t[::1] lookup = table
    cdef int32_t[::1] a = identities, b = bigrams
    cdef uint8_t[::1] c = inside.view(np.uint8)
    cdef ek_ucs characters
    cdef size_t count = 0
    cdef ek_status status
    if not isinstance(buckets, int) or not 2 <= buckets <= 1 << 24 or buckets & (buckets - 1):
        check_inputs(text, table, buckets)
    cdef uint32_t size = buckets
    if n == 0:
        return identities, bigrams, None
    characters.data, characters.length, characters.width = PyUnicode_DATA(text), n, PyUnicode_KIND(text)
    with nogil:
        status = ek_identities(characters, &lookup[0], &a[0])
        if status == EK_OK:
            status = ek_bigrams(&a[0], n, size, &b[0])
        if status == EK_OK:
            status = ek_inside_words(&a[0], n, &c[0], &count)
    if status != EK_OK:
        raise AssertionError(ek_status_message(status).decode())
    return identities, bigrams, inside if count > 0 else None


def lexicon_features(size, starts, ends):
    """int32[size]; see the reference."""
    if not vector(starts, "i") or not vector(ends, "i") or len(starts) != len(ends):
        check_places(size, starts, ends)
        starts, ends = np.ascontiguousarray(starts), np.ascontiguousarray(ends)
    cdef const int32_t[::1] first = starts, last = ends
    cdef size_t n = size
    features = np.empty(size, np.int32)
    cdef int32_t[::1] out = features
    cdef ek_words words
    cdef ek_status status
    words.count = len(starts)
    words.starts = &first[0] if words.count > 0 else NULL
    words.ends = &last[0] if words.count > 0 else NULL
    with nogil:
        status = ek_lexicon_features(n, words, &out[0] if n > 0 else NULL)
    if status != EK_OK:
        check_places(size, starts, ends)
        raise AssertionError(ek_status_message(status).decode())
    return features
