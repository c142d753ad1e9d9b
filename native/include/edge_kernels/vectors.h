/* Exact search of the nearest among many vectors of small integers. */
#ifndef EDGE_KERNELS_VECTORS_H
#define EDGE_KERNELS_VECTORS_H

#include "edge_kernels/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EK_MAX_DIMENSION 8192u
#define EK_MAX_QUERY 2047 /* 2047 * 128 * 8192 < 2^31: no dot product overflows */

/* The rows with the highest scores, best first; of equal scores the row that comes first.
 *
 * score of row i = (float)(its dot product with the query, exact) * scales[i] * unit, rounded after each product
 *
 * rows      n rows of `dimension` numbers
 * scales    n; what an integer of a row is worth, so that a score is a cosine: 1 / the row's length
 * query     `dimension` numbers from -EK_MAX_QUERY to EK_MAX_QUERY
 * unit      the same for the query
 * places    result, `most` rows by number
 * scores    result, theirs
 * found     result, how many: the smaller of n and most
 *
 * EK_BAD_ARGUMENT: a null pointer, dimension not in 1 to EK_MAX_DIMENSION, n beyond INT32_MAX. EK_OUT_OF_RANGE: a
 * number of the query. EK_NOT_A_NUMBER: a score is infinite or none. */
EK_API ek_status ek_nearest(const int8_t *rows, const float *scales, size_t n, size_t dimension, const int16_t *query,
                            float unit, size_t most, int32_t *places, float *scores, size_t *found);

#ifdef __cplusplus
}
#endif
#endif
