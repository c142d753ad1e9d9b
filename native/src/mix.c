/* Each vector variant holds four vectors of minima in registers while it runs over the hashes, and leaves the lanes
 * that do not fill them to plain C. Only integer operations: the bits are the same everywhere. */
#include "mix.h"

static void mix_min_plain(const uint32_t *hashes, size_t n, const uint32_t *seeds, const uint32_t *multipliers,
                          size_t n_hashes, uint32_t *minimum) {
    for (size_t k = 0; k < n; k++) {
        const uint32_t x = hashes[k];
        for (size_t i = 0; i < n_hashes; i++) {
            uint32_t v = (x ^ seeds[i]) * multipliers[i];
            v ^= v >> 16;
            minimum[i] = v < minimum[i] ? v : minimum[i];
        }
    }
}

/* A variant for vectors of LANES values: VEC is their type; LOAD, STORE, SPLAT, XOR, MUL, SHIFT16 and MIN work on
 * them; TARGET lets the compiler use their instructions in this one function. */
#define DEFINE_MIX_MIN(NAME, TARGET, LANES, VEC, LOAD, STORE, SPLAT, XOR, MUL, SHIFT16, MIN)                           \
    TARGET static void NAME(const uint32_t *hashes, size_t n, const uint32_t *seeds, const uint32_t *multipliers,      \
                            size_t n_hashes, uint32_t *minimum) {                                                      \
        size_t i = 0;                                                                                                  \
        for (; i + 4 * LANES <= n_hashes; i += 4 * LANES) {                                                            \
            VEC seed[4], multiplier[4], low[4];                                                                        \
            for (int j = 0; j < 4; j++) {                                                                              \
                seed[j] = LOAD(seeds + i + j * LANES);                                                                 \
                multiplier[j] = LOAD(multipliers + i + j * LANES);                                                     \
                low[j] = LOAD(minimum + i + j * LANES);                                                                \
            }                                                                                                          \
            for (size_t k = 0; k < n; k++) {                                                                           \
                const VEC x = SPLAT(hashes[k]);                                                                        \
                for (int j = 0; j < 4; j++) {                                                                          \
                    const VEC v = MUL(XOR(x, seed[j]), multiplier[j]);                                                 \
                    low[j] = MIN(low[j], XOR(v, SHIFT16(v)));                                                          \
                }                                                                                                      \
            }                                                                                                          \
            for (int j = 0; j < 4; j++) STORE(minimum + i + j * LANES, low[j]);                                        \
        }                                                                                                              \
        mix_min_plain(hashes, n, seeds + i, multipliers + i, n_hashes - i, minimum + i);                               \
    }

#if (defined(__GNUC__) || defined(__clang__)) && (defined(__x86_64__) || defined(__i386__))
#include <immintrin.h>
#define EK_X86 1

#define LOAD512(p) _mm512_loadu_si512((const void *)(p))
#define STORE512(p, v) _mm512_storeu_si512((void *)(p), v)
#define SPLAT512(x) _mm512_set1_epi32((int)(x))
#define SHIFT512(v) _mm512_srli_epi32(v, 16)
DEFINE_MIX_MIN(mix_min_avx512, __attribute__((target("avx512f"))), 16, __m512i, LOAD512, STORE512, SPLAT512,
               _mm512_xor_si512, _mm512_mullo_epi32, SHIFT512, _mm512_min_epu32)

#define LOAD256(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE256(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define SPLAT256(x) _mm256_set1_epi32((int)(x))
#define SHIFT256(v) _mm256_srli_epi32(v, 16)
DEFINE_MIX_MIN(mix_min_avx2, __attribute__((target("avx2"))), 8, __m256i, LOAD256, STORE256, SPLAT256,
               _mm256_xor_si256, _mm256_mullo_epi32, SHIFT256, _mm256_min_epu32)

#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#define EK_NEON 1

#define SHIFT128(v) vshrq_n_u32(v, 16)
DEFINE_MIX_MIN(mix_min_neon, , 4, uint32x4_t, vld1q_u32, vst1q_u32, vdupq_n_u32, veorq_u32, vmulq_u32, SHIFT128,
               vminq_u32)
#endif

ek_mix_min *ek_mix_min_variant(size_t number) {
    if (number == 0) return mix_min_plain;
#if defined(EK_X86)
    if (number == 1 && __builtin_cpu_supports("avx2")) return mix_min_avx2;
    if (number == 2 && __builtin_cpu_supports("avx512f")) return mix_min_avx512;
#elif defined(EK_NEON)
    if (number == 3) return mix_min_neon;
#endif
    return NULL;
}

ek_mix_min *ek_pick_mix_min(void) {
    for (size_t number = EK_MIX_MIN_VARIANTS; number-- > 1;) {
        ek_mix_min *variant = ek_mix_min_variant(number);
        if (variant) return variant;
    }
    return mix_min_plain;
}
