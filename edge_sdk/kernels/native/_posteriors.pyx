"""Converts arguments for native/include/edge_kernels/posteriors.h; the contract is in the reference."""

from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc

import numpy as np

from edge_sdk.kernels.checks import check_path, check_transitions, no_path

include "_rows.pxi"

cdef extern from "edge_kernels/posteriors.h" nogil:
    ctypedef int ek_status
    ek_status EK_OK, EK_NO_PATH
    ctypedef struct ek_tag_weights:
        pass
    size_t ek_tag_weights_size(size_t)
    ek_status ek_build_tag_weights(const float *, const float *, const float *, const uint8_t *, const uint8_t *,
                                   const uint8_t *, size_t, ek_tag_weights *)
    size_t ek_posteriors_scratch(size_t, size_t)
    ek_status ek_tag_posteriors(const ek_tag_weights *, const float *, const int32_t *, size_t, void *, double *)
    const char *ek_status_message(ek_status)


cdef class TagPosteriors:
    """Transition weights, laid out once for many utterances. Safe to share between threads."""

    cdef ek_tag_weights *weights
    cdef readonly Py_ssize_t n_tags

    def __cinit__(self, transitions, start, end, allowed=None, allowed_start=None, allowed_end=None):
        check_transitions(transitions, start, end, allowed, allowed_start, allowed_end)
        cdef const float[:, ::1] moves = np.ascontiguousarray(transitions)
        cdef const float[::1] first = np.ascontiguousarray(start), last = np.ascontiguousarray(end)
        cdef const uint8_t[:, ::1] may_move
        cdef const uint8_t[::1] may_start, may_end
        cdef const uint8_t *mask = NULL
        cdef const uint8_t *mask_start = NULL
        cdef const uint8_t *mask_end = NULL
        cdef ek_status status
        if allowed is not None:
            may_move = np.ascontiguousarray(allowed).view(np.uint8)
            mask = &may_move[0, 0]
        if allowed_start is not None:
            may_start = np.ascontiguousarray(allowed_start).view(np.uint8)
            mask_start = &may_start[0]
        if allowed_end is not None:
            may_end = np.ascontiguousarray(allowed_end).view(np.uint8)
            mask_end = &may_end[0]
        self.n_tags = first.shape[0]
        self.weights = <ek_tag_weights *>malloc(ek_tag_weights_size(self.n_tags))
        if self.weights == NULL:
            raise MemoryError
        with nogil:
            status = ek_build_tag_weights(&moves[0, 0], &first[0], &last[0], mask, mask_start, mask_end, self.n_tags,
                                          self.weights)
        if status != EK_OK:
            raise AssertionError(ek_status_message(status).decode())

    def __dealloc__(self):
        free(self.weights)

    def __call__(self, emissions, tags):
        """float64[n]: the probability of each tag of int32[n] at its row of float32[n, T]."""
        cdef const float[:, ::1] rows = rows_of(emissions, self.n_tags)
        cdef size_t n = rows.shape[0]
        cdef const int32_t[::1] path
        cdef double[::1] values
        cdef ek_status status
        cdef void *scratch
        try:
            path = tags
        except (ValueError, TypeError, BufferError):
            check_path(emissions, tags, self.n_tags)
            path = np.ascontiguousarray(tags)
        if <size_t>path.shape[0] != n:
            check_path(emissions, tags, self.n_tags)
        result = np.empty(n)
        if n == 0:
            return result
        values = result
        scratch = malloc(ek_posteriors_scratch(n, self.n_tags))
        if scratch == NULL:
            raise MemoryError
        with nogil:
            status = ek_tag_posteriors(self.weights, &rows[0, 0], &path[0], n, scratch, &values[0])
            free(scratch)
        if status == EK_NO_PATH:
            raise no_path()
        if status != EK_OK:
            check_path(emissions, tags, self.n_tags)
            raise AssertionError(ek_status_message(status).decode())
        return result
