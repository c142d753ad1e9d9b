"""Converts arguments for native/include/edge_kernels/fingerprint.h; the functions' contract is in the reference."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_DECREF
from cpython.unicode cimport PyUnicode_Check
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

import numpy as np

from edge_sdk.kernels.checks import (
    check_features,
    check_fingerprints,
    check_out,
    check_scheme,
    check_tokens,
)
from edge_sdk.kernels.scheme import HashScheme

cdef extern from "edge_kernels/fingerprint.h" nogil:
    ctypedef int ek_status
    ctypedef struct ek_text:
        const char *data
        size_t size
    ctypedef struct ek_hash_scheme:
        uint64_t seed
        uint32_t n_hashes, ngram_min, ngram_max, boundaries
    ek_status ek_fingerprints(const ek_hash_scheme *, const uint32_t *, const ek_text *, size_t, const size_t *, size_t,
                              uint32_t *)
    ek_status ek_bloom_counts(const uint32_t *, size_t, size_t, size_t, uint8_t *)
    ek_status ek_project(const ek_hash_scheme *, const uint32_t *, const ek_text *, size_t, const size_t *, size_t,
                         size_t, uint32_t *, uint8_t *)

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object, Py_ssize_t *) except NULL
    PyObject **PySequence_Fast_ITEMS(object)
    Py_ssize_t PySequence_Fast_GET_SIZE(object)

cdef enum:
    N_UNITS = 256  # utterances up to this many units and tokens need no memory from the heap
    N_HASHES = 1024


cdef struct Units:
    # UTF-8 views of all units of all tokens. `owners` are held while the GIL is not: another thread may change
    # the caller's lists meanwhile.
    ek_text *texts
    size_t *ends
    PyObject **owners
    size_t n_units
    size_t n_tokens
    void *heap
    ek_text own_texts[N_UNITS]
    size_t own_ends[N_UNITS]
    PyObject *own_owners[N_UNITS]


cdef int collect(Units *units, object tokens) except -1:
    """Fills `units`; nothing is held when it raises."""
    cdef Py_ssize_t t, u, size, n_tokens, n_units = 0
    cdef const char *data
    cdef object token, unit
    units.heap = NULL
    units.n_units = 0
    if not isinstance(tokens, (list, tuple)):
        check_tokens(tokens)
    n_tokens = PySequence_Fast_GET_SIZE(tokens)
    for t in range(n_tokens):
        token = <object>PySequence_Fast_ITEMS(tokens)[t]
        if not isinstance(token, (list, tuple)):
            check_tokens(tokens)
        n_units += PySequence_Fast_GET_SIZE(token)
    if n_tokens <= N_UNITS and n_units <= N_UNITS:
        units.texts, units.ends, units.owners = units.own_texts, units.own_ends, units.own_owners
    else:
        units.heap = malloc(n_units * (sizeof(ek_text) + sizeof(void *)) + n_tokens * sizeof(size_t))
        if units.heap == NULL:
            raise MemoryError
        units.texts = <ek_text *>units.heap
        units.owners = <PyObject **>(units.texts + n_units)
        units.ends = <size_t *>(units.owners + n_units)
    units.n_tokens = n_tokens
    try:
        for t in range(n_tokens):
            token = <object>PySequence_Fast_ITEMS(tokens)[t]
            for u in range(PySequence_Fast_GET_SIZE(token)):
                unit = <object>PySequence_Fast_ITEMS(token)[u]
                if not PyUnicode_Check(unit):
                    check_tokens(tokens)
                data = PyUnicode_AsUTF8AndSize(unit, &size)
                units.texts[units.n_units].data = data
                units.texts[units.n_units].size = size
                units.owners[units.n_units] = <PyObject *>unit
                Py_INCREF(unit)
                units.n_units += 1
            units.ends[t] = units.n_units
    except BaseException:
        release(units)
        check_tokens(tokens)  # names the token that the encoder has refused
        raise
    return 0


cdef void release(Units *units) noexcept:
    cdef size_t u
    for u in range(units.n_units):
        Py_DECREF(<object>units.owners[u])
    free(units.heap)


cdef const uint32_t *read_scheme(object scheme, ek_hash_scheme *result) except NULL:
    """Its constants live as long as `scheme`, which caches them."""
    if type(scheme) is not HashScheme:
        check_scheme(scheme)
    cdef bytes constants = scheme.constants
    result.seed = scheme.seed
    result.n_hashes = scheme.n_hashes
    result.ngram_min = scheme.ngram_min
    result.ngram_max = scheme.ngram_max
    result.boundaries = scheme.boundaries
    assert PyBytes_GET_SIZE(constants) == 8 * <Py_ssize_t>result.n_hashes
    return <const uint32_t *>PyBytes_AS_STRING(constants)


cdef size_t read_features(object n_features) except 0:
    if type(n_features) is not int or not 1 <= n_features <= 16777216:
        check_features(n_features)
    return n_features


def fingerprints(tokens, scheme):
    """uint32[len(tokens), n_hashes]: MinHash fingerprint of every token."""
    cdef ek_hash_scheme c_scheme
    cdef const uint32_t *constants = read_scheme(scheme, &c_scheme)
    cdef Units units
    collect(&units, tokens)
    cdef uint32_t[:, ::1] rows
    try:
        result = np.empty((units.n_tokens, c_scheme.n_hashes), np.uint32)
        rows = result
        if units.n_tokens:
            with nogil:
                ek_fingerprints(&c_scheme, constants, units.texts, units.n_units, units.ends, units.n_tokens,
                                &rows[0, 0])
    finally:
        release(&units)
    return result


def bloom_counts(fingerprints, n_features):
    """uint8[n, n_features]: counting Bloom features of uint32[n, n_hashes]."""
    cdef size_t features = read_features(n_features)
    check_fingerprints(fingerprints)
    cdef const uint32_t[:, ::1] rows = np.ascontiguousarray(fingerprints)
    cdef size_t n = rows.shape[0], n_hashes = rows.shape[1]
    if n_hashes == 0:
        return np.zeros((n, features), np.uint8)
    result = np.empty((n, features), np.uint8)
    cdef uint8_t[:, ::1] counts = result
    if n:
        with nogil:
            ek_bloom_counts(&rows[0, 0], n, n_hashes, features, &counts[0, 0])
    return result


def project(tokens, scheme, n_features, out=None):
    """uint8[len(tokens), n_features]: `bloom_counts(fingerprints(tokens, scheme), n_features)`, into `out` if given."""
    cdef size_t features = read_features(n_features)
    cdef ek_hash_scheme c_scheme
    cdef const uint32_t *constants = read_scheme(scheme, &c_scheme)
    cdef Units units
    cdef Py_buffer buffer
    cdef uint32_t own_scratch[N_HASHES]
    cdef uint32_t *scratch = own_scratch
    cdef void *heap = NULL
    collect(&units, tokens)
    try:
        if out is None:
            out = np.empty((units.n_tokens, features), np.uint8)
        elif type(out) is not np.ndarray:
            check_out(out, (units.n_tokens, features))
        try:
            PyObject_GetBuffer(out, &buffer, PyBUF_WRITABLE | PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
        except (ValueError, BufferError):
            check_out(out, (units.n_tokens, features))
            raise
        try:
            if not (buffer.ndim == 2 and buffer.format[0] == c'B' and buffer.format[1] == 0
                    and buffer.shape[0] == <Py_ssize_t>units.n_tokens and buffer.shape[1] == <Py_ssize_t>features):
                check_out(out, (units.n_tokens, features))
            if c_scheme.n_hashes > N_HASHES:
                heap = malloc(c_scheme.n_hashes * sizeof(uint32_t))
                if heap == NULL:
                    raise MemoryError
                scratch = <uint32_t *>heap
            with nogil:
                ek_project(&c_scheme, constants, units.texts, units.n_units, units.ends, units.n_tokens, features,
                           scratch, <uint8_t *>buffer.buf)
                free(heap)
        finally:
            PyBuffer_Release(&buffer)
    finally:
        release(&units)
    return out
