"""Converts arguments for native/include/edge_kernels/spans.h; the functions' contract is in the reference."""

from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc

import numpy as np
from numpy import ndarray

from edge_sdk.kernels.checks import check_emissions, check_labels, check_spans, check_tags
from edge_sdk.kernels.labels import TagLabels

cdef extern from "edge_kernels/spans.h" nogil:
    ctypedef int ek_status
    ek_status EK_OK, EK_OUT_OF_RANGE, EK_NOT_A_NUMBER
    ctypedef struct ek_span:
        int32_t type
        uint32_t first, last
    ek_status ek_tag_spans(const int32_t *, size_t, const uint8_t *, const int32_t *, size_t, ek_span *, size_t *)
    ek_status ek_span_scores(const float *, const int32_t *, size_t, size_t, const ek_span *, size_t, double *)
    const char *ek_status_message(ek_status)


def tag_spans(tags, labels):
    """[(type, first token, token after the last)]: the spans that int32[n] tags mark, in order."""
    if type(labels) is not TagLabels:
        check_labels(labels)
    cdef const int32_t[::1] indices
    try:
        if not isinstance(tags, ndarray):
            raise TypeError
        indices = tags
    except (ValueError, TypeError, BufferError):
        check_tags(tags, len(labels))  # passes what is only not contiguous
        indices = np.ascontiguousarray(tags)
    cdef const uint8_t[::1] kinds = labels.kinds
    cdef const int32_t[::1] types = labels.types
    cdef size_t n = indices.shape[0], n_tags = kinds.shape[0], n_spans = 0, i
    if n == 0:
        return []
    cdef ek_status status
    cdef ek_span *spans = <ek_span *>malloc(n * sizeof(ek_span))
    if spans == NULL:
        raise MemoryError
    try:
        with nogil:
            status = ek_tag_spans(&indices[0], n, &kinds[0] if n_tags else NULL, &types[0] if n_tags else NULL, n_tags,
                                  spans, &n_spans)
        if status == EK_OUT_OF_RANGE:
            check_tags(tags, n_tags)
        if status != EK_OK:
            raise AssertionError(ek_status_message(status).decode())
        names = labels.type_names
        return [(names[spans[i].type], spans[i].first, spans[i].last) for i in range(n_spans)]
    finally:
        free(spans)


def span_scores(emissions, tags, spans):
    """[float]: each span's mean softmax probability of its tokens' tags."""
    check_emissions(emissions, None)
    check_tags(tags, emissions.shape[1])
    check_spans(spans, min(len(tags), len(emissions)))
    cdef size_t n_spans = len(spans), i
    if n_spans == 0:
        return []
    cdef const float[:, ::1] rows = np.ascontiguousarray(emissions)
    cdef const int32_t[::1] indices = np.ascontiguousarray(tags)
    cdef size_t n = min(rows.shape[0], indices.shape[0])
    cdef ek_status status
    scores = np.empty(n_spans, np.float64)
    cdef double[::1] result = scores
    cdef ek_span *c_spans = <ek_span *>malloc(n_spans * sizeof(ek_span))
    if c_spans == NULL:
        raise MemoryError
    try:
        for i in range(n_spans):
            c_spans[i].type = 0
            c_spans[i].first = spans[i][1]
            c_spans[i].last = spans[i][2]
        with nogil:
            status = ek_span_scores(&rows[0, 0], &indices[0], n, rows.shape[1], c_spans, n_spans, &result[0])
        if status != EK_OK:
            raise AssertionError(ek_status_message(status).decode())
        return scores.tolist()
    finally:
        free(c_spans)
