/* The least that a test needs: a check that says where it failed, and random numbers that are the same everywhere. */
#ifndef EK_CHECK_H
#define EK_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                              \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                 \
            exit(1);                                                                                                  \
        }                                                                                                             \
    } while (0)

static uint64_t check_state = 1;

/* A number from 0 to limit - 1 (SplitMix64). */
static inline uint32_t check_random(uint32_t limit) {
    uint64_t x = check_state += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((x ^ x >> 31) >> 32) % limit;
}

#endif
