"""Converts arguments for native/include/edge_kernels/vectors.h; the contract is in the reference."""

from libc.stdint cimport int8_t, int16_t, int32_t

import numpy as np

from edge_sdk.kernels.reference.vectors import check_nearest, no_score

cdef extern from "edge_kernels/vectors.h" nogil:
    ctypedef int ek_status
    ek_status EK_OK, EK_NOT_A_NUMBER
    ek_status ek_nearest(const int8_t *, const float *, size_t, size_t, const int16_t *, float, size_t, int32_t *,
                         float *, size_t *)
    const char *ek_status_message(ek_status)


def nearest(rows, scales, query, unit, most):
    """(int32[k] rows, float32[k] scores), best first; see the reference."""
    check_nearest(rows, scales, query, unit, most)
    cdef const int8_t[:, ::1] matrix = np.ascontiguousarray(rows)
    cdef const float[::1] worth = np.ascontiguousarray(scales)
    cdef const int16_t[::1] numbers = np.ascontiguousarray(query)
    cdef size_t n = matrix.shape[0], dimension = matrix.shape[1], kept = min(most, len(rows)), found = 0
    places, best = np.empty(kept, np.int32), np.empty(kept, np.float32)
    cdef int32_t[::1] place_of = places
    cdef float[::1] score_of = best
    cdef float one = unit
    cdef ek_status status
    if n == 0:
        return places, best
    with nogil:
        status = ek_nearest(&matrix[0, 0], &worth[0], n, dimension, &numbers[0], one, kept,
                            &place_of[0] if kept else NULL, &score_of[0] if kept else NULL, &found)
    if status == EK_NOT_A_NUMBER:
        raise no_score(rows, scales, query, unit)
    if status != EK_OK:
        raise AssertionError(ek_status_message(status).decode())
    return places, best
