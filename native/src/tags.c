#include "edge_kernels/tags.h"

#include <math.h>
#include <string.h>

#include "tag_plan.h"

enum { CACHE_LINE = 64 };

static size_t padded(size_t n) { return (n + EK_PLAN_LANES - 1) / EK_PLAN_LANES * EK_PLAN_LANES; }

int ek_scores_valid(const float *scores, size_t n) {
    int valid = 1;
    for (size_t i = 0; i < n; i++) valid &= (fabsf(scores[i]) <= EK_MAX_SCORE) | (scores[i] == -INFINITY);
    return valid;
}

/* A tag counts as sparse if at most a quarter of all tags may precede it. An edge takes two words where the matrix takes
 * one, so a sparse tag saves at least half its column; but up to 15 sparse tags may share the padding that is there in
 * any case, and then add those 15 / 2 columns. */
size_t ek_tag_plan_size(size_t n_tags) {
    if (n_tags < 1 || n_tags > EK_MAX_TAGS) return 0;
    return sizeof(struct ek_tag_plan) + sizeof(float) * n_tags * (4 + 8 + padded(n_tags)) + CACHE_LINE;
}

static float masked(const float *scores, const uint8_t *allowed, size_t i) {
    return allowed && !allowed[i] ? -INFINITY : scores[i];
}

ek_status ek_build_tag_plan(const float *transitions, const float *start, const float *end, const uint8_t *allowed,
                            const uint8_t *allowed_start, const uint8_t *allowed_end, size_t n_tags,
                            ek_tag_plan *plan) {
    if (!transitions || !start || !end || !plan || ek_tag_plan_size(n_tags) == 0) return EK_BAD_ARGUMENT;
    if (!ek_scores_valid(transitions, n_tags * n_tags) || !ek_scores_valid(start, n_tags) ||
        !ek_scores_valid(end, n_tags))
        return EK_NOT_A_NUMBER;

    const uint32_t vector = (uint32_t)(n_tags * sizeof(float));
    plan->n_tags = (uint32_t)n_tags;
    plan->start = sizeof *plan;
    plan->end = plan->start + vector;
    plan->tag_of = plan->end + vector;
    plan->column_of = plan->tag_of + vector;
    plan->edge_from = plan->column_of + vector;

    char *base = (char *)plan;
    float *plan_start = (float *)(void *)(base + plan->start), *plan_end = (float *)(void *)(base + plan->end);
    uint32_t *tag_of = (uint32_t *)(void *)(base + plan->tag_of);
    uint32_t *column_of = (uint32_t *)(void *)(base + plan->column_of);

    /* column_of serves as the count of predecessors until the columns are dealt out */
    memset(column_of, 0, n_tags * sizeof *column_of);
    for (size_t from = 0; from < n_tags; from++) {
        plan_start[from] = masked(start, allowed_start, from);
        plan_end[from] = masked(end, allowed_end, from);
        for (size_t to = 0; to < n_tags; to++)
            column_of[to] += masked(transitions, allowed, from * n_tags + to) != -INFINITY;
    }
    uint32_t n_dense = 0, n_sparse = 0, degree = 0;
    for (size_t tag = 0; tag < n_tags; tag++) n_dense += column_of[tag] > n_tags / 4;
    for (uint32_t tag = 0, dense = 0; tag < n_tags; tag++) {
        const uint32_t count = column_of[tag];
        if (count > n_tags / 4) {
            column_of[tag] = dense++;
        } else {
            degree = count > degree ? count : degree;
            column_of[tag] = n_dense + n_sparse++;
        }
        tag_of[column_of[tag]] = tag;
    }

    plan->n_dense = n_dense;
    plan->stride = (uint32_t)padded(n_dense);
    plan->degree = degree;
    plan->edge_score = plan->edge_from + degree * n_sparse * (uint32_t)sizeof(uint32_t);
    plan->dense = plan->edge_score + degree * n_sparse * (uint32_t)sizeof(float);
    /* Vector loads that straddle cache lines cost double. A plan that is moved afterwards is slower, not wrong. */
    plan->dense += (uint32_t)(-(uintptr_t)(base + plan->dense) % CACHE_LINE);

    uint32_t *edge_from = (uint32_t *)(void *)(base + plan->edge_from);
    float *edge_score = (float *)(void *)(base + plan->edge_score);
    float *dense = (float *)(void *)(base + plan->dense);
    for (size_t from = 0; from < n_tags; from++) {
        float *row = dense + from * plan->stride;
        for (size_t c = 0; c < n_dense; c++) row[c] = masked(transitions, allowed, from * n_tags + tag_of[c]);
        for (size_t c = n_dense; c < plan->stride; c++) row[c] = -INFINITY;
    }
    for (size_t s = 0; s < n_sparse; s++) {
        size_t rank = 0;
        for (uint32_t from = 0; from < n_tags; from++) {
            const float score = masked(transitions, allowed, from * n_tags + tag_of[n_dense + s]);
            if (score == -INFINITY) continue;
            edge_from[rank * n_sparse + s] = from;
            edge_score[rank++ * n_sparse + s] = score;
        }
        for (; rank < degree; rank++) {
            edge_from[rank * n_sparse + s] = 0;
            edge_score[rank * n_sparse + s] = -INFINITY;
        }
    }
    return EK_OK;
}

size_t ek_viterbi_scratch(size_t n_tokens, size_t n_tags) {
    if (n_tags < 1 || n_tags > EK_MAX_TAGS || n_tokens > EK_MAX_TOKENS) return 0;
    if (n_tokens > SIZE_MAX / sizeof(float) / (2 * padded(n_tags)) - 1) return 0;
    return sizeof(float) * (n_tokens + 1) * 2 * padded(n_tags);
}

/* The smallest predecessor of `tag` that its best score comes from. Only the best path asks for one, so the forward
 * pass keeps no back pointers; the sums are repeated here, with equal results. `best` is its row for the dense tags. */
static uint32_t predecessor(const ek_tag_plan *plan, const float *previous, const float *best, uint32_t tag) {
    const uint32_t column = ek_plan_indices(plan, plan->column_of)[tag];
    if (column < plan->n_dense) {
        const float *score = ek_plan_floats(plan, plan->dense) + column;
        uint32_t from = 0;
        while (from + 1 < plan->n_tags && previous[from] + score[from * (size_t)plan->stride] != best[column]) from++;
        return from;
    }
    const size_t n_sparse = plan->n_tags - plan->n_dense, sparse = column - plan->n_dense;
    const uint32_t *from = ek_plan_indices(plan, plan->edge_from);
    const float *score = ek_plan_floats(plan, plan->edge_score);
    size_t high = sparse;
    for (size_t edge = sparse; edge < plan->degree * n_sparse; edge += n_sparse)
        if (previous[from[edge]] + score[edge] > previous[from[high]] + score[high]) high = edge;
    return from[high];
}

ek_status ek_viterbi(const ek_tag_plan *plan, const float *emissions, size_t n_tokens, void *scratch, int32_t *tags,
                     float *score) {
    if (!plan || !score || (n_tokens && (!emissions || !scratch || !tags))) return EK_BAD_ARGUMENT;
    const size_t n_tags = plan->n_tags, n_dense = plan->n_dense, n_sparse = n_tags - n_dense, stride = plan->stride;
    if (ek_viterbi_scratch(n_tokens, n_tags) == 0) return EK_BAD_ARGUMENT;
    *score = 0.0f;
    if (n_tokens == 0) return EK_OK;
    if (!ek_scores_valid(emissions, n_tokens * n_tags)) return EK_NOT_A_NUMBER;

    const float *start = ek_plan_floats(plan, plan->start), *end = ek_plan_floats(plan, plan->end);
    const float *dense = ek_plan_floats(plan, plan->dense), *edge_score = ek_plan_floats(plan, plan->edge_score);
    const uint32_t *tag_of = ek_plan_indices(plan, plan->tag_of), *edge_from = ek_plan_indices(plan, plan->edge_from);
    ek_max_plus *max_plus = ek_pick_max_plus();
    float *reached = scratch;                   /* [n_tokens][n_tags]: best score of a path that ends here */
    float *bests = reached + n_tokens * n_tags; /* [n_tokens][stride]: the same of dense tags, without the emission */
    float *sparse = bests + n_tokens * stride;  /* [n_sparse]: and of the sparse ones, at one token */

    for (size_t tag = 0; tag < n_tags; tag++) reached[tag] = start[tag] + emissions[tag];
    for (size_t t = 1; t < n_tokens; t++) {
        const float *previous = reached + (t - 1) * n_tags, *emission = emissions + t * n_tags;
        float *now = reached + t * n_tags, *best = bests + t * stride;
        max_plus(previous, n_tags, dense, stride, best);
        for (size_t c = 0; c < n_dense; c++) now[tag_of[c]] = best[c] + emission[tag_of[c]];
        for (size_t s = 0; s < n_sparse; s++) sparse[s] = -INFINITY;
        for (size_t rank = 0; rank < plan->degree; rank++)
            for (size_t s = 0; s < n_sparse; s++) {
                const float candidate = previous[edge_from[rank * n_sparse + s]] + edge_score[rank * n_sparse + s];
                sparse[s] = candidate > sparse[s] ? candidate : sparse[s];
            }
        for (size_t s = 0; s < n_sparse; s++) now[tag_of[n_dense + s]] = sparse[s] + emission[tag_of[n_dense + s]];
    }

    const float *last = reached + (n_tokens - 1) * n_tags;
    uint32_t tag = 0;
    for (uint32_t i = 1; i < n_tags; i++)
        if (last[i] + end[i] > last[tag] + end[tag]) tag = i;
    if (last[tag] + end[tag] == -INFINITY) return EK_NO_PATH;
    *score = last[tag] + end[tag] + 0.0f; /* no negative zero */
    for (size_t t = n_tokens; t-- > 0;) {
        tags[t] = (int32_t)tag;
        if (t > 0) tag = predecessor(plan, reached + (t - 1) * n_tags, bests + t * stride, tag);
    }
    return EK_OK;
}

ek_status ek_argmax_tags(const float *emissions, size_t n_tokens, size_t n_tags, int32_t *tags) {
    if (n_tags < 1 || (n_tokens && (!emissions || !tags))) return EK_BAD_ARGUMENT;
    if (n_tokens > SIZE_MAX / sizeof(float) / n_tags || n_tags > INT32_MAX) return EK_BAD_ARGUMENT;
    if (!ek_scores_valid(emissions, n_tokens * n_tags)) return EK_NOT_A_NUMBER;
    for (size_t t = 0; t < n_tokens; t++) {
        const float *row = emissions + t * n_tags;
        size_t high = 0;
        for (size_t tag = 1; tag < n_tags; tag++)
            if (row[tag] > row[high]) high = tag;
        tags[t] = (int32_t)high;
    }
    return EK_OK;
}
