/* String hashing: XXH64 and the constants of the MinHash mixes. */
#ifndef EDGE_KERNELS_HASH_H
#define EDGE_KERNELS_HASH_H

#include "edge_kernels/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* XXH64 of `size` bytes (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md). `data` may be NULL if
 * `size` is 0. */
EK_API uint64_t ek_xxh64(const void *data, size_t size, uint64_t seed);

/* XXH64 folded to 32 bits: (h ^ h >> 32) mod 2^32. */
EK_API uint32_t ek_string_hash(const void *data, size_t size, uint64_t seed);

/* The constants of the n_hashes mixes: constants[i] is the seed s_i, constants[n_hashes + i] the odd multiplier a_i,
 * the low and high half of output i of SplitMix64 started at `seed`. `constants` holds 2 * n_hashes values.
 * EK_BAD_ARGUMENT: constants is NULL. */
EK_API ek_status ek_hash_constants(uint64_t seed, size_t n_hashes, uint32_t *constants);

#ifdef __cplusplus
}
#endif
#endif
