#include "edge_kernels/vectors.h"

#include <float.h>

/* Compilers make 16-bit multiply-adds of this loop, which every processor has; with int8 on both sides they do not. */
static int32_t dot(const int16_t *query, const int8_t *row, size_t n) {
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += (int32_t)query[i] * (int32_t)row[i];
    return sum;
}

/* The best rows so far, a binary heap with the worst of them on top. */
typedef struct heap {
    int32_t *places;
    float *scores;
    size_t size;
} heap;

static int worse(const heap *h, size_t a, size_t b) {
    return h->scores[a] < h->scores[b] || (h->scores[a] == h->scores[b] && h->places[a] > h->places[b]);
}

static void swap(heap *h, size_t a, size_t b) {
    const int32_t place = h->places[a];
    const float score = h->scores[a];
    h->places[a] = h->places[b], h->scores[a] = h->scores[b];
    h->places[b] = place, h->scores[b] = score;
}

static void sink(heap *h, size_t parent) {
    for (size_t child; (child = 2 * parent + 1) < h->size; parent = child) {
        if (child + 1 < h->size && worse(h, child + 1, child)) child++;
        if (!worse(h, child, parent)) return;
        swap(h, child, parent);
    }
}

ek_status ek_nearest(const int8_t *rows, const float *scales, size_t n, size_t dimension, const int16_t *query,
                     float unit, size_t most, int32_t *places, float *scores, size_t *found) {
    if ((n && (!rows || !scales)) || !query || !found || (n && most && (!places || !scores))) return EK_BAD_ARGUMENT;
    if (dimension < 1 || dimension > EK_MAX_DIMENSION || n > INT32_MAX) return EK_BAD_ARGUMENT;
    for (size_t i = 0; i < dimension; i++)
        if (query[i] < -EK_MAX_QUERY || query[i] > EK_MAX_QUERY) return EK_OUT_OF_RANGE;
    heap best = {places, scores, 0};
    const size_t wanted = most < n ? most : n;
    for (size_t i = 0; i < n; i++) {
        const float score = (float)dot(query, rows + i * dimension, dimension) * scales[i] * unit;
        if (!(score >= -FLT_MAX && score <= FLT_MAX)) return EK_NOT_A_NUMBER;
        if (best.size < wanted) {
            places[best.size] = (int32_t)i;
            scores[best.size++] = score;
            if (best.size == wanted)
                for (size_t parent = wanted / 2; parent-- > 0;) sink(&best, parent);
        } else if (wanted && score > scores[0]) { /* rows come in order: an equal one would be worse */
            places[0] = (int32_t)i;
            scores[0] = score;
            sink(&best, 0);
        }
    }
    /* heap sort: the worst one left goes last */
    while (best.size > 1) {
        swap(&best, 0, --best.size);
        sink(&best, 0);
    }
    *found = wanted;
    return EK_OK;
}
