/* Any bytes as rows, scales and a query: places are rows, scores fall, and one more row asked for changes no other. */
#include <stdlib.h>
#include <string.h>

#include "edge_kernels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    const size_t dimension = data[0] % 70u, n = data[1] % 40u, most = data[2] % 45u;
    const float unit = (float)(data[3] % 7) - 2;
    data += 4, size -= 4;
    const size_t row_bytes = n * dimension, query_bytes = 2 * dimension, scale_bytes = 4 * n;
    if (size < row_bytes + query_bytes + scale_bytes) return 0;
    /* exact sizes, so that the sanitizer sees a read beyond any of them */
    int8_t *rows = malloc(row_bytes + 1);
    int16_t *query = malloc(query_bytes + 1);
    float *scales = malloc(scale_bytes + 1);
    memcpy(rows, data, row_bytes);
    memcpy(query, data + row_bytes, query_bytes);
    memcpy(scales, data + row_bytes + query_bytes, scale_bytes);
    for (size_t i = 0; i < dimension; i++)
        if (unit > 0) query[i] = (int16_t)(query[i] % 2048);

    int32_t *places = malloc((most + 1) * sizeof *places), *more = malloc((most + 1) * sizeof *more);
    float *scores = malloc((most + 1) * sizeof *scores), *higher = malloc((most + 1) * sizeof *higher);
    size_t found = 0, n_more = 0;
    const ek_status status = ek_nearest(rows, scales, n, dimension, query, unit, most, places, scores, &found);
    if (status != ek_nearest(rows, scales, n, dimension, query, unit, most + 1, more, higher, &n_more)) abort();
    if (status == EK_OK) {
        if (found != (most < n ? most : n) || memcmp(places, more, found * sizeof *places) != 0) abort();
        for (size_t i = 0; i < found; i++) {
            if (places[i] < 0 || (size_t)places[i] >= n || scores[i] != higher[i]) abort();
            if (i > 0 && !(scores[i - 1] > scores[i] || (scores[i - 1] == scores[i] && places[i - 1] < places[i]))) abort();
        }
    }
    free(rows), free(query), free(scales), free(places), free(more), free(scores), free(higher);
    return 0;
}
