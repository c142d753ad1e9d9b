/* The nearest of random vectors, against sorting all of them; ties, limits and errors. */
#include <math.h>

#include "check.h"
#include "edge_kernels.h"

enum { N = 300, DIMENSION = 37, MOST = N + 3 };

static int8_t rows[N * DIMENSION];
static float scales[N];
static int16_t query[DIMENSION];

static float score_of(int32_t row) {
    int64_t sum = 0;
    for (size_t i = 0; i < DIMENSION; i++) sum += (int64_t)query[i] * rows[(size_t)row * DIMENSION + i];
    return (float)sum * scales[row] * 0.5f;
}

static int by_score(const void *a, const void *b) {
    const int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
    const float x = score_of(i), y = score_of(j);
    return x != y ? (x < y) - (x > y) : (i > j) - (i < j);
}

/* `range`: numbers are below it in size; small ones make many ties. */
static void agrees_with_sorting(uint32_t range) {
    int32_t expected[N], places[MOST];
    float scores[MOST];
    size_t found;
    for (size_t i = 0; i < N * DIMENSION; i++) rows[i] = (int8_t)((int32_t)check_random(2 * range) - (int32_t)range);
    for (size_t i = 0; i < DIMENSION; i++) query[i] = (int16_t)((int32_t)check_random(2 * range) - (int32_t)range);
    for (int32_t i = 0; i < N; i++) expected[i] = i, scales[i] = (float)(1 + check_random(2));
    qsort(expected, N, sizeof *expected, by_score);
    for (size_t most = 0; most <= MOST; most += most < 9 ? 1 : 98) {
        CHECK(ek_nearest(rows, scales, N, DIMENSION, query, 0.5f, most, places, scores, &found) == EK_OK);
        CHECK(found == (most < N ? most : N));
        for (size_t i = 0; i < found; i++) CHECK(places[i] == expected[i] && scores[i] == score_of(expected[i]));
    }
}

static void limits(void) {
    static int8_t row[EK_MAX_DIMENSION];
    static int16_t wide[EK_MAX_DIMENSION];
    float scale = 1, score;
    int32_t place;
    size_t found;
    for (size_t i = 0; i < EK_MAX_DIMENSION; i++) row[i] = -128, wide[i] = EK_MAX_QUERY;
    CHECK(ek_nearest(row, &scale, 1, EK_MAX_DIMENSION, wide, 1, 1, &place, &score, &found) == EK_OK);
    CHECK(found == 1 && place == 0 && score == -128.0f * EK_MAX_QUERY * EK_MAX_DIMENSION);
    CHECK(ek_nearest(NULL, NULL, 0, 1, wide, 1, 5, &place, &score, &found) == EK_OK && found == 0);
    CHECK(ek_nearest(row, &scale, 1, EK_MAX_DIMENSION + 1, wide, 1, 1, &place, &score, &found) == EK_BAD_ARGUMENT);
    CHECK(ek_nearest(row, &scale, 1, 0, wide, 1, 1, &place, &score, &found) == EK_BAD_ARGUMENT);
    CHECK(ek_nearest(NULL, &scale, 1, 1, wide, 1, 1, &place, &score, &found) == EK_BAD_ARGUMENT);
    CHECK(ek_nearest(row, &scale, 1, 1, wide, 1, 1, NULL, &score, &found) == EK_BAD_ARGUMENT);
    wide[3]++;
    CHECK(ek_nearest(row, &scale, 1, 4, wide, 1, 1, &place, &score, &found) == EK_OUT_OF_RANGE);
    CHECK(ek_nearest(row, &scale, 1, 3, wide, 1, 1, &place, &score, &found) == EK_OK);
    scale = NAN;
    CHECK(ek_nearest(row, &scale, 1, 3, wide, 1, 1, &place, &score, &found) == EK_NOT_A_NUMBER);
    scale = 1e38f;
    CHECK(ek_nearest(row, &scale, 1, 3, wide, 1, 1, &place, &score, &found) == EK_NOT_A_NUMBER);
}

int main(void) {
    agrees_with_sorting(128);
    agrees_with_sorting(2);
    agrees_with_sorting(1);
    limits();
    return 0;
}
