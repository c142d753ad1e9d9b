/* Nanoseconds of the inner loops in plain C and in each vector variant that the processor has. From the repository:
 *   cc -std=c99 -O3 -D_POSIX_C_SOURCE=200809L -Inative/include -Inative/src bench/kernels/variants.c \
 *      native/src/hash.c native/src/mix.c native/src/max_plus.c -o variants && ./variants */
#include <stdio.h>
#include <time.h>

#include "edge_kernels/hash.h"
#include "mix.h"
#include "tag_plan.h"

enum { N_HASHES = 256, N_TAGS = 150, STRIDE = 160, ROUNDS = 2000, CALLS = 20 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

int main(void) {
    static const char *const names[] = {"plain C", "AVX2", "AVX-512", "NEON"};
    static uint32_t constants[2 * N_HASHES], minimum[N_HASHES];
    static float matrix[N_TAGS * STRIDE], scores[STRIDE], best[STRIDE];
    uint32_t hashes[9];
    ek_hash_constants(0, N_HASHES, constants);
    for (uint32_t i = 0; i < 9; i++) hashes[i] = ek_string_hash(&i, sizeof i, 0);
    for (size_t i = 0; i < N_TAGS * STRIDE; i++) matrix[i] = (float)(i * 2654435761u % 1000);
    for (size_t number = 0; number < 4; number++) {
        ek_mix_min *mix_min = ek_mix_min_variant(number);
        ek_max_plus *max_plus = ek_max_plus_variant(number);
        if (!mix_min || !max_plus) continue;
        double low[3] = {1e18, 1e18, 1e18}; /* the least of many short windows: other work only adds */
        for (int round = 0; round < ROUNDS; round++) {
            const double t0 = now();
            for (int i = 0; i < CALLS; i++) mix_min(hashes, 3, constants, constants + N_HASHES, N_HASHES, minimum);
            const double t1 = now();
            for (int i = 0; i < CALLS; i++) mix_min(hashes, 9, constants, constants + N_HASHES, N_HASHES, minimum);
            const double t2 = now();
            max_plus(scores, N_TAGS, matrix, STRIDE, best);
            const double t3 = now();
            const double times[] = {(t1 - t0) / CALLS, (t2 - t1) / CALLS, t3 - t2};
            for (int k = 0; k < 3; k++) low[k] = times[k] < low[k] ? times[k] : low[k];
        }
        printf("%-8s 256 hashes: 3 n-grams %.0f ns, 9 n-grams %.0f ns; 150 x 160 tags: %.0f ns\n", names[number], low[0],
               low[1], low[2]);
    }
    return 0;
}
