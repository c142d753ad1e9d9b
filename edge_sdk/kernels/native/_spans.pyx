"""Converts arguments for native/include/edge_kernels/spans.h; the functions' contract is in the reference."""

from libc.stdint cimport int32_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc

import numpy as np
from numpy import ndarray

from edge_sdk.kernels.checks import check_labels, check_span_arguments, check_tags
from edge_sdk.kernels.labels import TagLabels

include "_rows.pxi"

cdef extern from "edge_kernels/spans.h" nogil:
    ctypedef int ek_status
    ek_status EK_OK, EK_OUT_OF_RANGE
    ctypedef struct ek_span:
        int32_t type
        uint32_t first, last
    ek_status ek_tag_spans(const int32_t *, size_t, const uint8_t *, const int32_t *, size_t, ek_span *, size_t *)
    ek_status ek_span_scores(const float *, const int32_t *, size_t, size_t, const ek_span *, size_t, double *)
    const char *ek_status_message(ek_status)


cdef const int32_t[::1] view_of(object tags):
    """Their view, or nothing if they are no contiguous int32 vector; the C functions check the values."""
    cdef const int32_t[::1] view = None
    if isinstance(tags, ndarray):
        try:
            view = tags
        except (ValueError, TypeError, BufferError):
            pass
    return view


def tag_spans(tags, labels):
    """[(type, first token, token after the last)]: the spans that int32[n] tags mark, in order."""
    if type(labels) is not TagLabels:
        check_labels(labels)
    cdef const int32_t[::1] indices = view_of(tags)
    if indices is None:
        check_tags(tags, len(labels))  # passes what is only not contiguous
        indices = tags.copy()
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
    cdef const float[:, ::1] rows = rows_of(emissions, None)
    cdef const int32_t[::1] indices = view_of(tags)
    if indices is None or indices.shape[0] != rows.shape[0]:
        check_span_arguments(emissions, tags, spans)
        indices = tags.copy()
    if not isinstance(spans, (list, tuple)):
        check_span_arguments(emissions, tags, spans)
    cdef size_t n = rows.shape[0], n_spans = len(spans), i
    cdef ek_status status = EK_OUT_OF_RANGE
    cdef double *scores = <double *>malloc(n_spans * (sizeof(double) + sizeof(ek_span)) + 1)
    cdef ek_span *c_spans = <ek_span *>(scores + n_spans)
    if scores == NULL:
        raise MemoryError
    try:
        for i in range(n_spans):
            span = spans[i]
            if type(span) is not tuple or len(span) != 3:
                break
            if type(span[1]) is not int or type(span[2]) is not int or not 0 <= span[1] < span[2] <= n:
                break
            c_spans[i].type = 0
            c_spans[i].first = span[1]
            c_spans[i].last = span[2]
        else:
            with nogil:
                status = ek_span_scores(&rows[0, 0] if n else NULL, &indices[0] if n else NULL, n, rows.shape[1],
                                        c_spans, n_spans, scores)
        if status != EK_OK:
            check_span_arguments(emissions, tags, spans)
            raise AssertionError(ek_status_message(status).decode())
        return [scores[i] for i in range(n_spans)]
    finally:
        free(scores)
