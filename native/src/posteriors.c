#include "edge_kernels/posteriors.h"

#include <math.h>

#include "tag_plan.h"

/* Sums of exponentials, scaled at every token, in float: fast, but numbers below 1e-38 vanish. Where a sum comes so low
 * that what vanished may matter (scores that contradict each other by more than about 60), the whole utterance is done
 * again with logarithms in double, which is slow and never vanishes. */
#define SMALLEST_SUM 1e-28f

struct ek_tag_weights {
    uint32_t n_tags;
    uint32_t stride; /* columns of a matrix with their padding */
    /* Followed by: float logs[n_tags][n_tags]; start[n_tags]; end[n_tags], minus infinity where forbidden;
     * forward[n_tags][stride], backward[n_tags][stride]: exponentials of the scores by row and by column. */
};

static size_t padded(size_t n) { return (n + EK_PLAN_LANES - 1) / EK_PLAN_LANES * EK_PLAN_LANES; }

static const float *logs_of(const ek_tag_weights *weights) { return (const float *)(const void *)(weights + 1); }
static const float *start_of(const ek_tag_weights *weights) {
    return logs_of(weights) + (size_t)weights->n_tags * weights->n_tags;
}
static const float *end_of(const ek_tag_weights *weights) { return start_of(weights) + weights->n_tags; }
static const float *forward_of(const ek_tag_weights *weights) { return end_of(weights) + weights->n_tags; }
static const float *backward_of(const ek_tag_weights *weights) {
    return forward_of(weights) + (size_t)weights->n_tags * weights->stride;
}

size_t ek_tag_weights_size(size_t n_tags) {
    if (n_tags < 1 || n_tags > EK_MAX_TAGS) return 0;
    return sizeof(ek_tag_weights) + sizeof(float) * n_tags * (n_tags + 2 + 2 * padded(n_tags));
}

static float highest(const float *scores, size_t n) {
    float top = -INFINITY;
    for (size_t i = 0; i < n; i++) top = scores[i] > top ? scores[i] : top;
    return top == -INFINITY ? 0 : top;
}

ek_status ek_build_tag_weights(const float *transitions, const float *start, const float *end, const uint8_t *allowed,
                               const uint8_t *allowed_start, const uint8_t *allowed_end, size_t n_tags,
                               ek_tag_weights *weights) {
    if (!transitions || !start || !end || !weights || ek_tag_weights_size(n_tags) == 0) return EK_BAD_ARGUMENT;
    if (!ek_scores_valid(transitions, n_tags * n_tags) || !ek_scores_valid(start, n_tags) ||
        !ek_scores_valid(end, n_tags))
        return EK_NOT_A_NUMBER;
    const size_t stride = padded(n_tags);
    weights->n_tags = (uint32_t)n_tags;
    weights->stride = (uint32_t)stride;
    float *logs = (float *)(void *)(weights + 1), *first = logs + n_tags * n_tags, *last = first + n_tags;
    float *forward = last + n_tags, *backward = forward + n_tags * stride;
    for (size_t i = 0; i < n_tags * n_tags; i++) logs[i] = allowed && !allowed[i] ? -INFINITY : transitions[i];
    for (size_t i = 0; i < n_tags; i++) {
        first[i] = allowed_start && !allowed_start[i] ? -INFINITY : start[i];
        last[i] = allowed_end && !allowed_end[i] ? -INFINITY : end[i];
    }
    for (size_t i = 0; i < 2 * n_tags * stride; i++) forward[i] = 0;
    const float top = highest(logs, n_tags * n_tags); /* a common factor of all paths */
    for (size_t from = 0; from < n_tags; from++)
        for (size_t to = 0; to < n_tags; to++)
            forward[from * stride + to] = backward[to * stride + from] = expf(logs[from * n_tags + to] - top);
    return EK_OK;
}

size_t ek_posteriors_scratch(size_t n_tokens, size_t n_tags) {
    if (n_tags < 1 || n_tags > EK_MAX_TAGS || n_tokens > EK_MAX_TOKENS) return 0;
    return sizeof(double) * (n_tokens + 2) * padded(n_tags); /* the slow way; the fast one takes as much or less */
}

/* sums[j] = sum over i of factors[i] * matrix[i][j]: rows added up, so that columns fill the vectors. */
#define DEFINE_ROW_SUMS(NAME, TARGET)                                                                                  \
    TARGET static void NAME(const float *factors, size_t n_rows, const float *matrix, size_t stride, float *sums) {    \
        for (size_t j = 0; j < stride; j++) sums[j] = 0;                                                               \
        for (size_t i = 0; i < n_rows; i++) {                                                                          \
            const float factor = factors[i];                                                                           \
            if (factor == 0) continue;                                                                                 \
            for (size_t j = 0; j < stride; j++) sums[j] += factor * matrix[i * stride + j];                            \
        }                                                                                                              \
    }

typedef void row_sums(const float *factors, size_t n_rows, const float *matrix, size_t stride, float *sums);

DEFINE_ROW_SUMS(row_sums_plain, )

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
DEFINE_ROW_SUMS(row_sums_avx2, __attribute__((target("avx2"))))

static row_sums *pick_row_sums(void) { return __builtin_cpu_supports("avx2") ? row_sums_avx2 : row_sums_plain; }
#else
static row_sums *pick_row_sums(void) { return row_sums_plain; }
#endif

/* Scales to a sum of 1; 0 if the sum is too small to be trusted. */
static int normalise(float *values, size_t n) {
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += values[i];
    if (!(sum > SMALLEST_SUM)) return 0;
    for (size_t i = 0; i < n; i++) values[i] /= sum;
    return 1;
}

/* 0 if a sum came too low. */
static int fast_posteriors(const ek_tag_weights *weights, const float *emissions, const int32_t *tags, size_t n_tokens,
                           float *scratch, double *posteriors) {
    const size_t n_tags = weights->n_tags, stride = weights->stride;
    const float *start = start_of(weights), *end = end_of(weights);
    row_sums *const sum_rows = pick_row_sums();
    float *alpha = scratch, *beta = alpha + n_tokens * stride, *carried = beta + stride;

    float top = -INFINITY;
    for (size_t tag = 0; tag < n_tags; tag++) {
        alpha[tag] = start[tag] + emissions[tag];
        top = alpha[tag] > top ? alpha[tag] : top;
    }
    if (top == -INFINITY) return 0;
    for (size_t tag = 0; tag < n_tags; tag++) alpha[tag] = expf(alpha[tag] - top);
    if (!normalise(alpha, n_tags)) return 0;
    for (size_t token = 1; token < n_tokens; token++) {
        const float *scores = emissions + token * n_tags;
        float *row = alpha + token * stride;
        sum_rows(row - stride, n_tags, forward_of(weights), stride, row);
        top = highest(scores, n_tags);
        for (size_t tag = 0; tag < n_tags; tag++) row[tag] *= expf(scores[tag] - top);
        if (!normalise(row, n_tags)) return 0;
    }
    top = highest(end, n_tags);
    for (size_t tag = 0; tag < n_tags; tag++) beta[tag] = expf(end[tag] - top);
    for (size_t token = n_tokens; token-- > 0;) {
        const float *row = alpha + token * stride;
        float total = 0;
        for (size_t tag = 0; tag < n_tags; tag++) total += row[tag] * beta[tag];
        if (!(total > SMALLEST_SUM)) return 0;
        posteriors[token] = fmin(1.0, (double)(row[tags[token]] * beta[tags[token]]) / (double)total);
        if (token == 0) break;
        const float *scores = emissions + token * n_tags;
        top = highest(scores, n_tags);
        for (size_t tag = 0; tag < n_tags; tag++) carried[tag] = beta[tag] * expf(scores[tag] - top);
        if (!normalise(carried, n_tags)) return 0;
        sum_rows(carried, n_tags, backward_of(weights), stride, beta);
    }
    return 1;
}

static double log_sum(const double *values, const float *more, size_t step, size_t n) {
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double value = values[i] + (double)more[i * step];
        top = value > top ? value : top;
    }
    if (top == -INFINITY) return top;
    for (size_t i = 0; i < n; i++) sum += exp(values[i] + (double)more[i * step] - top);
    return top + log(sum);
}

static ek_status log_posteriors(const ek_tag_weights *weights, const float *emissions, const int32_t *tags,
                                size_t n_tokens, double *scratch, double *posteriors) {
    const size_t n_tags = weights->n_tags;
    const float *logs = logs_of(weights), *start = start_of(weights), *end = end_of(weights);
    double *alpha = scratch, *beta = alpha + n_tokens * n_tags, *carried = beta + n_tags;
    for (size_t tag = 0; tag < n_tags; tag++) alpha[tag] = (double)start[tag] + (double)emissions[tag];
    for (size_t token = 1; token < n_tokens; token++)
        for (size_t tag = 0; tag < n_tags; tag++)
            alpha[token * n_tags + tag] = log_sum(alpha + (token - 1) * n_tags, logs + tag, n_tags, n_tags) +
                                          (double)emissions[token * n_tags + tag];
    const double total = log_sum(alpha + (n_tokens - 1) * n_tags, end, 1, n_tags);
    if (total == -INFINITY) return EK_NO_PATH;
    for (size_t tag = 0; tag < n_tags; tag++) beta[tag] = (double)end[tag];
    for (size_t token = n_tokens; token-- > 0;) {
        posteriors[token] = fmin(1.0, exp(alpha[token * n_tags + (size_t)tags[token]] + beta[tags[token]] - total));
        if (token == 0) break;
        for (size_t tag = 0; tag < n_tags; tag++) carried[tag] = beta[tag] + (double)emissions[token * n_tags + tag];
        for (size_t tag = 0; tag < n_tags; tag++) beta[tag] = log_sum(carried, logs + tag * n_tags, 1, n_tags);
    }
    return EK_OK;
}

ek_status ek_tag_posteriors(const ek_tag_weights *weights, const float *emissions, const int32_t *tags,
                            size_t n_tokens, void *scratch, double *posteriors) {
    if (!weights) return EK_BAD_ARGUMENT;
    if (n_tokens == 0) return EK_OK;
    if (!emissions || !tags || !scratch || !posteriors || n_tokens > EK_MAX_TOKENS) return EK_BAD_ARGUMENT;
    if (!ek_scores_valid(emissions, n_tokens * weights->n_tags)) return EK_NOT_A_NUMBER;
    for (size_t token = 0; token < n_tokens; token++)
        if (tags[token] < 0 || (uint32_t)tags[token] >= weights->n_tags) return EK_OUT_OF_RANGE;
    if (fast_posteriors(weights, emissions, tags, n_tokens, scratch, posteriors)) return EK_OK;
    return log_posteriors(weights, emissions, tags, n_tokens, scratch, posteriors);
}
