"""Converts arguments for native/include/edge_kernels/ngrams.h; the contract is in the reference."""

from libc.stdint cimport int32_t, uint32_t

import numpy as np

from edge_sdk.kernels.phrase_scheme import PhraseScheme, check_phrases

cdef extern from "edge_kernels/ngrams.h" nogil:
    ctypedef int ek_status
    ek_status EK_OK
    ctypedef struct ek_ucs:
        const void *data
        size_t length
        uint32_t width
    ctypedef struct ek_phrase_scheme:
        uint32_t ngram_min, ngram_max, word_max, ngram_buckets, word_buckets
    size_t ek_phrase_ngrams_capacity(const ek_phrase_scheme *, size_t)
    ek_status ek_phrase_ngrams(const ek_phrase_scheme *, ek_ucs, int32_t *, size_t, size_t *)
    const char *ek_status_message(ek_status)

cdef extern from "Python.h":
    int PyUnicode_KIND(object)
    void *PyUnicode_DATA(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)


cdef ek_phrase_scheme read_scheme(object given):
    cdef ek_phrase_scheme scheme
    scheme.ngram_min, scheme.ngram_max, scheme.word_max = given.ngram_min, given.ngram_max, given.word_max
    scheme.ngram_buckets, scheme.word_buckets = given.ngram_buckets, given.word_buckets
    return scheme


cdef size_t write(str text, const ek_phrase_scheme *scheme, int32_t[::1] numbers, size_t start) except? 0:
    """Writes the numbers of one text from `start` on; returns how many."""
    cdef ek_ucs view
    cdef size_t count = 0
    cdef ek_status status
    view.data, view.length, view.width = PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text), PyUnicode_KIND(text)
    with nogil:
        status = ek_phrase_ngrams(scheme, view, &numbers[start], numbers.shape[0] - start, &count)
    if status != EK_OK:
        raise AssertionError(ek_status_message(status).decode())
    return count


def phrase_ngrams(text, scheme):
    """int32[n]; see the reference."""
    if type(scheme) is not PhraseScheme or type(text) is not str:
        check_phrases([text], scheme)
    cdef ek_phrase_scheme values = read_scheme(scheme)
    numbers = np.empty(ek_phrase_ngrams_capacity(&values, len(text)), np.int32)
    return numbers[: write(text, &values, numbers, 0)]


def phrase_ngrams_many(texts, scheme):
    """(int32[n] numbers, int64[len(texts)] ends); see the reference."""
    check_phrases(texts, scheme)
    cdef ek_phrase_scheme values = read_scheme(scheme)
    cdef size_t capacity = 0, end = 0
    for text in texts:
        capacity += ek_phrase_ngrams_capacity(&values, len(text))
    numbers, ends = np.empty(capacity, np.int32), np.empty(len(texts), np.int64)
    cdef int32_t[::1] view = numbers
    cdef long long[::1] places = ends
    cdef Py_ssize_t i
    for i, text in enumerate(texts):
        end += write(text, &values, view, end)
        places[i] = end
    return numbers[:end].copy(), ends
