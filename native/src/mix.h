/* The inner loop of MinHash, in the widest vectors that the processor has. */
#ifndef EK_MIX_H
#define EK_MIX_H

#include <stddef.h>
#include <stdint.h>

/* minimum[i] = min(minimum[i], mix_i(hashes[k]) for all k), with mix_i(x) = v ^ v >> 16, v = (x ^ seeds[i]) *
 * multipliers[i] modulo 2^32, for i in 0 to n_hashes - 1. */
typedef void ek_mix_min(const uint32_t *hashes, size_t n, const uint32_t *seeds, const uint32_t *multipliers,
                        size_t n_hashes, uint32_t *minimum);

/* The fastest variant that this processor runs; all give the same values. */
ek_mix_min *ek_pick_mix_min(void);

/* The variants by number (0 is plain C), NULL where there is none or this processor lacks it: for the tests. */
ek_mix_min *ek_mix_min_variant(size_t number);
#define EK_MIX_MIN_VARIANTS 4

#endif
