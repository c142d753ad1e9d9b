#include "edge_kernels/spans.h"

#include <float.h>
#include <math.h>

#include "tag_plan.h"

ek_status ek_tag_spans(const int32_t *tags, size_t n_tokens, const uint8_t *kinds, const int32_t *types, size_t n_tags,
                       ek_span *spans, size_t *n_spans) {
    if (!n_spans || n_tokens > UINT32_MAX || (n_tags && (!kinds || !types)) || (n_tokens && (!tags || !spans)))
        return EK_BAD_ARGUMENT;
    *n_spans = 0;
    size_t n = 0;
    int open = 0; /* whether spans[n] has been begun */
    for (size_t t = 0; t < n_tokens; t++) {
        if (tags[t] < 0 || (size_t)tags[t] >= n_tags || kinds[tags[t]] > EK_SINGLE) return EK_OUT_OF_RANGE;
        const int kind = kinds[tags[t]];
        const int32_t type = types[tags[t]];
        const int inner = kind == EK_INSIDE || kind == EK_END;
        if (!(inner && open && type == spans[n].type)) {
            if (open) spans[n++].last = (uint32_t)t;
            open = kind != EK_OUTSIDE;
            if (open) {
                spans[n].type = type;
                spans[n].first = (uint32_t)t;
            }
        }
        if (kind == EK_END || kind == EK_SINGLE) {
            spans[n++].last = (uint32_t)t + 1;
            open = 0;
        }
    }
    if (open) spans[n++].last = (uint32_t)n_tokens;
    *n_spans = n;
    return EK_OK;
}

static double probability(const float *row, size_t n_tags, int32_t tag) {
    double highest = -EK_MAX_SCORE, sum = 0;
    for (size_t i = 0; i < n_tags; i++) highest = row[i] > highest ? row[i] : highest;
    for (size_t i = 0; i < n_tags; i++) sum += exp(row[i] - highest);
    return exp(row[tag] - highest) / (sum > DBL_MIN ? sum : DBL_MIN);
}

ek_status ek_span_scores(const float *emissions, const int32_t *tags, size_t n_tokens, size_t n_tags,
                         const ek_span *spans, size_t n_spans, double *scores) {
    if (n_tags < 1 || (n_tokens && (!emissions || !tags)) || (n_spans && (!spans || !scores))) return EK_BAD_ARGUMENT;
    if (n_tokens > SIZE_MAX / sizeof(float) / n_tags) return EK_BAD_ARGUMENT;
    if (!ek_scores_valid(emissions, n_tokens * n_tags)) return EK_NOT_A_NUMBER;
    for (size_t t = 0; t < n_tokens; t++)
        if (tags[t] < 0 || (size_t)tags[t] >= n_tags) return EK_OUT_OF_RANGE;
    for (size_t s = 0; s < n_spans; s++) {
        if (spans[s].first >= spans[s].last || spans[s].last > n_tokens) return EK_OUT_OF_RANGE;
        double sum = 0;
        for (size_t t = spans[s].first; t < spans[s].last; t++)
            sum += probability(emissions + t * n_tags, n_tags, tags[t]);
        scores[s] = sum / (spans[s].last - spans[s].first);
    }
    return EK_OK;
}
