/* Every vector variant against plain C, features against fingerprints, and bytes that are no UTF-8. */
#include "../src/mix.h"
#include "check.h"
#include "edge_kernels.h"

enum { N_HASHES = 300 };

static void variants_agree(void) {
    uint32_t hashes[40], constants[2 * N_HASHES], expected[N_HASHES], found[N_HASHES + 1];
    CHECK(ek_mix_min_variant(0));
    for (int round = 0; round < 300; round++) {
        const size_t n_hashes = 1 + check_random(N_HASHES), n = check_random(40);
        CHECK(ek_hash_constants(check_random(1000), n_hashes, constants) == EK_OK);
        for (size_t i = 0; i < n; i++) hashes[i] = check_random(UINT32_MAX);
        memset(expected, 0xFF, sizeof expected);
        ek_mix_min_variant(0)(hashes, n, constants, constants + n_hashes, n_hashes, expected);
        for (size_t number = 1; number < EK_MIX_MIN_VARIANTS; number++) {
            if (!ek_mix_min_variant(number)) continue;
            memset(found, 0xFF, sizeof found);
            found[n_hashes] = 7;
            ek_mix_min_variant(number)(hashes, n, constants, constants + n_hashes, n_hashes, found);
            CHECK(memcmp(expected, found, n_hashes * sizeof *found) == 0);
            CHECK(found[n_hashes] == 7);
        }
    }
}

/* A unit in a block of just its size, of ASCII, marks and arbitrary bytes. */
static ek_text random_unit(void) {
    static const char letters[] = "ab##\x02\x03\x80\xBF\xC3\xE6\xF0\xFF";
    const size_t size = check_random(8) ? check_random(12) : check_random(400);
    char *data = malloc(size);
    for (size_t i = 0; i < size; i++) data[i] = letters[check_random(sizeof letters)];
    const ek_text unit = {data, size};
    return unit;
}

static void any_bytes_are_hashed(void) {
    for (int round = 0; round < 2000; round++) {
        ek_hash_scheme scheme;
        scheme.seed = check_random(100);
        scheme.n_hashes = 1 + check_random(70);
        scheme.ngram_min = 1 + check_random(EK_MAX_NGRAM);
        scheme.ngram_max = scheme.ngram_min + check_random(EK_MAX_NGRAM + 1 - scheme.ngram_min);
        scheme.boundaries = check_random(2);
        ek_text units[6];
        size_t ends[3], n_units = 0;
        for (size_t t = 0; t < 3; t++) {
            for (uint32_t more = check_random(3); more > 0; more--) units[n_units++] = random_unit();
            ends[t] = n_units;
        }
        const size_t n = scheme.n_hashes, n_features = 1 + check_random(600);
        uint32_t *constants = malloc(2 * n * sizeof *constants), *fingerprints = malloc(3 * n * sizeof *fingerprints);
        uint32_t *scratch = malloc(n * sizeof *scratch);
        uint8_t *counts = malloc(3 * n_features), *features = malloc(3 * n_features);
        CHECK(ek_hash_constants(scheme.seed, n, constants) == EK_OK);
        CHECK(ek_fingerprints(&scheme, constants, units, n_units, ends, 3, fingerprints) == EK_OK);
        CHECK(ek_bloom_counts(fingerprints, 3, n, n_features, counts) == EK_OK);
        CHECK(ek_project(&scheme, constants, units, n_units, ends, 3, n_features, scratch, features) == EK_OK);
        CHECK(memcmp(counts, features, 3 * n_features) == 0);
        for (size_t t = 0; t < 3; t++) {
            size_t sum = 0, bytes = 0;
            for (size_t f = 0; f < n_features; f++) sum += counts[t * n_features + f];
            for (size_t u = t ? ends[t - 1] : 0; u < ends[t]; u++) bytes += units[u].size;
            CHECK(sum == (bytes ? n : 0));
        }
        for (size_t u = 0; u < n_units; u++) free((void *)(uintptr_t)units[u].data);
        free(constants), free(fingerprints), free(scratch), free(counts), free(features);
    }
}

static void the_papers_example(void) {
    const ek_hash_scheme scheme = {0, 256, 3, 3, 0};
    const ek_text units[] = {{"Bring", 5}, {"##ing", 5}, {"Bri", 3}, {"rin", 3}, {"ing", 3}, {"", 0}, {"##ing", 5}};
    const size_t ends[] = {2, 3, 4, 5, 7};
    static uint32_t constants[512], f[5][256];
    CHECK(ek_hash_constants(0, 256, constants) == EK_OK);
    CHECK(ek_fingerprints(&scheme, constants, units, 7, ends, 5, f[0]) == EK_OK);
    for (size_t i = 0; i < 256; i++) {
        uint32_t low = UINT32_MAX;
        for (size_t t = 1; t < 5; t++) low = f[t][i] < low ? f[t][i] : low;
        CHECK(f[0][i] == low);
    }
}

static void bad_arguments(void) {
    ek_hash_scheme scheme = {0, 1, 3, 3, 0};
    const ek_text unit = {"a", 1};
    const size_t one = 1, two = 2;
    const size_t falling[] = {1, 0};
    uint32_t constants[2] = {0, 1}, value[2];
    uint8_t feature[2];
    CHECK(ek_fingerprints(&scheme, constants, &unit, 1, &one, 1, value) == EK_OK);
    CHECK(ek_fingerprints(NULL, constants, &unit, 1, &one, 1, value) == EK_BAD_ARGUMENT);
    CHECK(ek_fingerprints(&scheme, NULL, &unit, 1, &one, 1, value) == EK_BAD_ARGUMENT);
    CHECK(ek_fingerprints(&scheme, constants, NULL, 1, &one, 1, value) == EK_BAD_ARGUMENT);
    CHECK(ek_fingerprints(&scheme, constants, &unit, 1, NULL, 1, value) == EK_BAD_ARGUMENT);
    CHECK(ek_fingerprints(&scheme, constants, &unit, 1, &one, 1, NULL) == EK_BAD_ARGUMENT);
    CHECK(ek_fingerprints(&scheme, constants, &unit, 1, &two, 1, value) == EK_BAD_ARGUMENT);
    CHECK(ek_fingerprints(&scheme, constants, &unit, 1, falling, 2, value) == EK_BAD_ARGUMENT);
    CHECK(ek_fingerprints(&scheme, constants, NULL, 0, NULL, 0, NULL) == EK_OK);
    CHECK(ek_project(&scheme, constants, &unit, 1, &one, 1, 0, value, feature) == EK_BAD_ARGUMENT);
    CHECK(ek_project(&scheme, constants, &unit, 1, &one, 1, EK_MAX_FEATURES + 1, value, feature) == EK_BAD_ARGUMENT);
    CHECK(ek_project(&scheme, constants, &unit, 1, &one, 1, 1, NULL, feature) == EK_BAD_ARGUMENT);
    CHECK(ek_project(&scheme, constants, &unit, 1, &one, 1, 1, value, NULL) == EK_BAD_ARGUMENT);
    CHECK(ek_bloom_counts(value, 1, 0, 1, feature) == EK_BAD_ARGUMENT);
    CHECK(ek_bloom_counts(NULL, 1, 1, 1, feature) == EK_BAD_ARGUMENT);
    const ek_hash_scheme wrong[] = {{0, 0, 3, 3, 0}, {0, EK_MAX_HASHES + 1, 3, 3, 0}, {0, 1, 0, 3, 0},
                                    {0, 1, 4, 3, 0}, {0, 1, 3, EK_MAX_NGRAM + 1, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(ek_fingerprints(wrong + i, constants, &unit, 1, &one, 1, value) == EK_BAD_ARGUMENT);
}

int main(void) {
    variants_agree();
    any_bytes_are_hashed();
    the_papers_example();
    bad_arguments();
    return 0;
}
