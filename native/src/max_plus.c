/* Max-plus product of a vector and a matrix. Only additions and maxima of numbers that are no NaN: the values are the
 * same in every variant, but for the sign of a zero. */
#include <math.h>

#include "tag_plan.h"

static void max_plus_plain(const float *previous, size_t n_rows, const float *matrix, size_t stride, float *best) {
    for (size_t j = 0; j < stride; j++) best[j] = -INFINITY;
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < stride; j++) {
            const float score = previous[i] + matrix[i * stride + j];
            best[j] = score > best[j] ? score : best[j];
        }
}

/* A variant for vectors of LANES floats: first COUNT vectors of columns at a time, held in registers, then single ones.
 * VEC is their type; LOAD, STORE, SPLAT, ADD and MAX work on them; TARGET lets the compiler use their instructions. */
#define DEFINE_MAX_PLUS(NAME, TARGET, LANES, COUNT, VEC, LOAD, STORE, SPLAT, ADD, MAX)                                 \
    TARGET static void NAME(const float *previous, size_t n_rows, const float *matrix, size_t stride, float *best) {   \
        size_t column = 0;                                                                                             \
        for (; column + COUNT * LANES <= stride; column += COUNT * LANES) {                                            \
            VEC high[COUNT];                                                                                           \
            for (size_t j = 0; j < COUNT; j++) high[j] = SPLAT(-INFINITY);                                             \
            for (size_t i = 0; i < n_rows; i++) {                                                                      \
                const VEC before = SPLAT(previous[i]);                                                                 \
                for (size_t j = 0; j < COUNT; j++)                                                                     \
                    high[j] = MAX(high[j], ADD(before, LOAD(matrix + i * stride + column + j * LANES)));               \
            }                                                                                                          \
            for (size_t j = 0; j < COUNT; j++) STORE(best + column + j * LANES, high[j]);                              \
        }                                                                                                              \
        for (; column < stride; column += LANES) {                                                                     \
            VEC high = SPLAT(-INFINITY);                                                                               \
            for (size_t i = 0; i < n_rows; i++)                                                                        \
                high = MAX(high, ADD(SPLAT(previous[i]), LOAD(matrix + i * stride + column)));                         \
            STORE(best + column, high);                                                                                \
        }                                                                                                              \
    }

#if (defined(__GNUC__) || defined(__clang__)) && (defined(__x86_64__) || defined(__i386__))
#include <immintrin.h>
#define EK_X86 1

DEFINE_MAX_PLUS(max_plus_avx512, __attribute__((target("avx512f"))), 16, 5, __m512, _mm512_loadu_ps, _mm512_storeu_ps,
                _mm512_set1_ps, _mm512_add_ps, _mm512_max_ps)

DEFINE_MAX_PLUS(max_plus_avx2, __attribute__((target("avx2"))), 8, 8, __m256, _mm256_loadu_ps, _mm256_storeu_ps,
                _mm256_set1_ps, _mm256_add_ps, _mm256_max_ps)

#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#define EK_NEON 1

DEFINE_MAX_PLUS(max_plus_neon, , 4, 8, float32x4_t, vld1q_f32, vst1q_f32, vdupq_n_f32, vaddq_f32, vmaxq_f32)
#endif

ek_max_plus *ek_max_plus_variant(size_t number) {
    if (number == 0) return max_plus_plain;
#if defined(EK_X86)
    if (number == 1 && __builtin_cpu_supports("avx2")) return max_plus_avx2;
    if (number == 2 && __builtin_cpu_supports("avx512f")) return max_plus_avx512;
#elif defined(EK_NEON)
    if (number == 3) return max_plus_neon;
#endif
    return NULL;
}

ek_max_plus *ek_pick_max_plus(void) {
    for (size_t number = EK_MAX_PLUS_VARIANTS; number-- > 1;) {
        ek_max_plus *variant = ek_max_plus_variant(number);
        if (variant) return variant;
    }
    return max_plus_plain;
}
