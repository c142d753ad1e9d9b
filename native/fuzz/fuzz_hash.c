/* Any bytes as a scheme and units: nothing is read or written outside, and the features are those of the
 * fingerprints. */
#include <stdlib.h>
#include <string.h>

#include "edge_kernels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 8) return 0;
    ek_hash_scheme scheme;
    scheme.seed = data[0];
    scheme.n_hashes = data[1] + 1u;
    scheme.ngram_min = data[2] % 20u;
    scheme.ngram_max = data[3] % 20u;
    scheme.boundaries = data[4] & 1u;
    const size_t n_features = data[5] * 3u + 1, unit_size = data[6] + 1u, units_a_token = data[7] % 4u + 1;
    data += 8, size -= 8;
    enum { MAX_UNITS = 64 };
    ek_text units[MAX_UNITS];
    size_t ends[MAX_UNITS], n_units = 0, n_tokens = 0;
    for (size_t at = 0; at < size && n_units < MAX_UNITS; at += unit_size) {
        const size_t n = size - at < unit_size ? size - at : unit_size;
        char *copy = malloc(n); /* a block of its own, so that the sanitizer sees its end */
        memcpy(copy, data + at, n);
        units[n_units].data = copy;
        units[n_units++].size = n;
        if (n_units % units_a_token == 0) ends[n_tokens++] = n_units;
    }
    const size_t n = scheme.n_hashes;
    uint32_t *constants = malloc(2 * n * sizeof *constants), *scratch = malloc(n * sizeof *scratch);
    uint32_t *fingerprints = malloc((n_tokens * n + 1) * sizeof *fingerprints);
    uint8_t *features = malloc(n_tokens * n_features + 1), *counts = malloc(n_tokens * n_features + 1);
    ek_hash_constants(scheme.seed, n, constants);
    const ek_status status = ek_fingerprints(&scheme, constants, units, n_units, ends, n_tokens, fingerprints);
    if (status != ek_project(&scheme, constants, units, n_units, ends, n_tokens, n_features, scratch, features))
        abort();
    if (status == EK_OK) {
        ek_bloom_counts(fingerprints, n_tokens, n, n_features, counts);
        if (memcmp(features, counts, n_tokens * n_features) != 0) abort();
    }
    while (n_units > 0) free((void *)(uintptr_t)units[--n_units].data);
    free(constants), free(scratch), free(fingerprints), free(features), free(counts);
    return 0;
}
