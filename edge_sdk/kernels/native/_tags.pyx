"""Converts arguments for native/include/edge_kernels/tags.h and labels.h; the functions' contract is in the reference."""

from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc

import numpy as np

from edge_sdk.kernels.checks import check_emissions, check_nbest, check_transitions, no_path
from edge_sdk.kernels.labels import TagLabels

include "_rows.pxi"

cdef extern from "edge_kernels/tags.h" nogil:
    ctypedef int ek_status
    ek_status EK_OK, EK_NOT_A_NUMBER, EK_NO_PATH
    ctypedef struct ek_tag_plan:
        pass
    size_t ek_tag_plan_size(size_t)
    ek_status ek_build_tag_plan(const float *, const float *, const float *, const uint8_t *, const uint8_t *,
                                const uint8_t *, size_t, ek_tag_plan *)
    size_t ek_viterbi_scratch(size_t, size_t)
    ek_status ek_viterbi(const ek_tag_plan *, const float *, size_t, void *, int32_t *, float *)
    size_t ek_viterbi_nbest_scratch(size_t, size_t, size_t)
    ek_status ek_viterbi_nbest(const ek_tag_plan *, const float *, size_t, size_t, void *, int32_t *, float *, size_t *)
    ek_status ek_argmax_tags(const float *, size_t, size_t, int32_t *)
    const char *ek_status_message(ek_status)

cdef extern from "edge_kernels/labels.h" nogil:
    ek_status ek_bio_masks(const uint8_t *, const int32_t *, size_t, uint8_t *, uint8_t *, uint8_t *)


cdef int fail(ek_status status, object emissions, object n_tags) except -1:
    if status == EK_NOT_A_NUMBER:
        check_emissions(emissions, n_tags)
    if status == EK_NO_PATH:
        raise no_path()
    raise AssertionError(ek_status_message(status).decode())


cdef class TagDecoder:
    """Transition scores and masks, laid out once for many utterances. Safe to share between threads."""

    cdef ek_tag_plan *plan
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
        self.plan = <ek_tag_plan *>malloc(ek_tag_plan_size(self.n_tags))
        if self.plan == NULL:
            raise MemoryError
        with nogil:
            status = ek_build_tag_plan(&moves[0, 0], &first[0], &last[0], mask, mask_start, mask_end, self.n_tags,
                                       self.plan)
        if status != EK_OK:
            raise AssertionError(ek_status_message(status).decode())

    def __dealloc__(self):
        free(self.plan)

    def decode(self, emissions):
        """int32[n] and float: the best tag sequence of float32[n, T] and its score."""
        cdef const float[:, ::1] rows = rows_of(emissions, self.n_tags)
        cdef size_t n = rows.shape[0]
        tags = np.empty(n, np.int32)
        if n == 0:
            return tags, 0.0
        cdef int32_t[::1] result = tags
        cdef float score
        cdef ek_status status
        cdef void *scratch = malloc(ek_viterbi_scratch(n, self.n_tags))
        if scratch == NULL:
            raise MemoryError
        with nogil:
            status = ek_viterbi(self.plan, &rows[0, 0], n, scratch, &result[0], &score)
            free(scratch)
        if status != EK_OK:
            fail(status, emissions, self.n_tags)
        return tags, score

    def nbest(self, emissions, n):
        """[(int32[n_tokens], float)]: the `n` best tag sequences and their scores, best first."""
        check_nbest(n)
        cdef const float[:, ::1] rows = rows_of(emissions, self.n_tags)
        cdef size_t n_tokens = rows.shape[0], n_best = n, n_found = 0
        if n_tokens == 0:
            return [(np.empty(0, np.int32), 0.0)]
        tags = np.empty((n_best, n_tokens), np.int32)
        scores = np.empty(n_best, np.float32)
        cdef int32_t[:, ::1] paths = tags
        cdef float[::1] path_scores = scores
        cdef ek_status status
        cdef void *scratch = malloc(ek_viterbi_nbest_scratch(n_tokens, self.n_tags, n_best))
        if scratch == NULL:
            raise MemoryError
        with nogil:
            status = ek_viterbi_nbest(self.plan, &rows[0, 0], n_tokens, n_best, scratch, &paths[0, 0], &path_scores[0],
                                      &n_found)
            free(scratch)
        if status != EK_OK:
            fail(status, emissions, self.n_tags)
        return [(tags[i].copy(), float(scores[i])) for i in range(n_found)]


def viterbi(emissions, transitions, start, end, allowed=None, allowed_start=None, allowed_end=None):
    """`TagDecoder(...).decode(emissions)` for a single use; keep a TagDecoder to decode many utterances."""
    return TagDecoder(transitions, start, end, allowed, allowed_start, allowed_end).decode(emissions)


def viterbi_nbest(emissions, transitions, start, end, allowed=None, allowed_start=None, allowed_end=None, *, n):
    """`TagDecoder(...).nbest(emissions, n)` for a single use."""
    return TagDecoder(transitions, start, end, allowed, allowed_start, allowed_end).nbest(emissions, n)


def argmax_tags(emissions):
    """int32[n]: each token's best tag by itself, the smallest of equally good ones."""
    cdef const float[:, ::1] rows = rows_of(emissions, None)
    cdef size_t n = rows.shape[0]
    tags = np.empty(n, np.int32)
    if n == 0:
        return tags
    cdef int32_t[::1] result = tags
    cdef ek_status status
    with nogil:
        status = ek_argmax_tags(&rows[0, 0], n, rows.shape[1], &result[0])
    if status != EK_OK:
        fail(status, emissions, None)
    return tags


def bio_masks(labels):
    """uint8[T, T], uint8[T], uint8[T]: which tags may follow each other, come first and come last."""
    parsed = TagLabels(labels)
    cdef size_t n = len(parsed)
    allowed = np.empty((n, n), np.uint8)
    first, last = np.empty(n, np.uint8), np.empty(n, np.uint8)
    if n == 0:
        return allowed, first, last
    cdef const uint8_t[::1] kinds = parsed.kinds
    cdef const int32_t[::1] types = parsed.types
    cdef uint8_t[:, ::1] may_move = allowed
    cdef uint8_t[::1] may_start = first, may_end = last
    with nogil:
        ek_bio_masks(&kinds[0], &types[0], n, &may_move[0, 0], &may_start[0], &may_end[0])
    return allowed, first, last
