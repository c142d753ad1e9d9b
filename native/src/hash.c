#include "edge_kernels/hash.h"

#include <string.h>

static const uint64_t P1 = 0x9E3779B185EBCA87u, P2 = 0xC2B2AE3D27D4EB4Fu, P3 = 0x165667B19E3779F9u,
                      P4 = 0x85EBCA77C2B2AE63u, P5 = 0x27D4EB2F165667C5u;

static uint64_t rotl(uint64_t x, int bits) { return (x << bits) | (x >> (64 - bits)); }

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
static uint64_t read64(const uint8_t *p) {
    uint64_t x = 0;
    for (int i = 7; i >= 0; i--) x = x << 8 | p[i];
    return x;
}
static uint32_t read32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
#else
static uint64_t read64(const uint8_t *p) {
    uint64_t x;
    memcpy(&x, p, sizeof x); /* p need not be aligned */
    return x;
}
static uint32_t read32(const uint8_t *p) {
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}
#endif

static uint64_t round64(uint64_t accumulator, uint64_t lane) { return rotl(accumulator + lane * P2, 31) * P1; }

static uint64_t merge(uint64_t hash, uint64_t accumulator) { return (hash ^ round64(0, accumulator)) * P1 + P4; }

uint64_t ek_xxh64(const void *data, size_t size, uint64_t seed) {
    const uint8_t *p = data;
    size_t left = size;
    uint64_t h = seed + P5;
    if (left >= 32) {
        uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
        for (; left >= 32; p += 32, left -= 32) {
            a = round64(a, read64(p));
            b = round64(b, read64(p + 8));
            c = round64(c, read64(p + 16));
            d = round64(d, read64(p + 24));
        }
        h = rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18);
        h = merge(merge(merge(merge(h, a), b), c), d);
    }
    h += (uint64_t)size;
    for (; left >= 8; p += 8, left -= 8) h = rotl(h ^ round64(0, read64(p)), 27) * P1 + P4;
    if (left >= 4) {
        h = rotl(h ^ read32(p) * P1, 23) * P2 + P3;
        p += 4, left -= 4;
    }
    for (; left > 0; p++, left--) h = rotl(h ^ *p * P5, 11) * P1;
    h = (h ^ h >> 33) * P2;
    h = (h ^ h >> 29) * P3;
    return h ^ h >> 32;
}

uint32_t ek_string_hash(const void *data, size_t size, uint64_t seed) {
    const uint64_t h = ek_xxh64(data, size, seed);
    return (uint32_t)(h ^ h >> 32);
}

ek_status ek_hash_constants(uint64_t seed, size_t n_hashes, uint32_t *constants) {
    if (!constants) return EK_BAD_ARGUMENT;
    uint64_t state = seed;
    for (size_t i = 0; i < n_hashes; i++) {
        uint64_t z = state += 0x9E3779B97F4A7C15u;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        z ^= z >> 31;
        constants[i] = (uint32_t)z;
        constants[n_hashes + i] = (uint32_t)(z >> 32) | 1u;
    }
    return EK_OK;
}
