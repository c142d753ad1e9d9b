#include <math.h>
#include <string.h>

#include "edge_kernels/tags.h"
#include "tag_plan.h"

/* A list of at most `limit` ways, best first. A way is a place in the layer before: predecessor * limit + rank. */
typedef struct ways {
    float *scores;
    uint32_t *places;
    size_t n, limit;
} ways;

/* Adds a way behind those that are as good, so that the order of calls breaks ties. Returns 0 if it is too bad for a
 * full list. */
static int offer(ways *list, float score, uint32_t place) {
    if (list->n == list->limit && score <= list->scores[list->n - 1]) return 0;
    size_t at = list->n < list->limit ? list->n++ : list->n - 1;
    for (; at > 0 && list->scores[at - 1] < score; at--) {
        list->scores[at] = list->scores[at - 1];
        list->places[at] = list->places[at - 1];
    }
    list->scores[at] = score;
    list->places[at] = place;
    return 1;
}

/* Scores that end in a tag, for every tag: counts[tag] of them from scores[tag * limit] on. */
typedef struct layer {
    float *scores;
    uint32_t *counts;
} layer;

/* Offers the ways from `from`, which are in falling order. */
static void offer_all(ways *list, layer before, uint32_t from, float transition) {
    if (transition == -INFINITY) return;
    const size_t first = from * list->limit;
    for (size_t place = first; place < first + before.counts[from]; place++)
        if (!offer(list, before.scores[place] + transition, (uint32_t)place)) return;
}

static void offer_predecessors(ways *list, const ek_tag_plan *plan, layer before, uint32_t tag) {
    const uint32_t column = ek_plan_indices(plan, plan->column_of)[tag];
    if (column < plan->n_dense) {
        const float *transition = ek_plan_floats(plan, plan->dense) + column;
        for (uint32_t from = 0; from < plan->n_tags; from++)
            offer_all(list, before, from, transition[from * (size_t)plan->stride]);
        return;
    }
    const size_t n_sparse = plan->n_tags - plan->n_dense;
    for (size_t edge = column - plan->n_dense; edge < plan->degree * n_sparse; edge += n_sparse)
        offer_all(list, before, ek_plan_indices(plan, plan->edge_from)[edge],
                  ek_plan_floats(plan, plan->edge_score)[edge]);
}

/* Words of one layer: scores and counts. */
static size_t layer_words(size_t n_tags, size_t n_best) { return n_tags * n_best + n_tags; }

size_t ek_viterbi_nbest_scratch(size_t n_tokens, size_t n_tags, size_t n_best) {
    if (n_tags < 1 || n_tags > EK_MAX_TAGS || n_tokens > EK_MAX_TOKENS || n_best < 1 || n_best > EK_MAX_NBEST) return 0;
    const uint64_t words = (uint64_t)n_tokens * n_tags * n_best + 2 * layer_words(n_tags, n_best) + n_best;
    return words > SIZE_MAX / sizeof(float) ? 0 : (size_t)words * sizeof(float);
}

ek_status ek_viterbi_nbest(const ek_tag_plan *plan, const float *emissions, size_t n_tokens, size_t n_best,
                           void *scratch, int32_t *tags, float *scores, size_t *n_found) {
    if (!plan || !scratch || !scores || !n_found || (n_tokens && (!emissions || !tags))) return EK_BAD_ARGUMENT;
    const size_t n_tags = plan->n_tags;
    if (ek_viterbi_nbest_scratch(n_tokens, n_tags, n_best) == 0) return EK_BAD_ARGUMENT;
    *n_found = 0;
    if (n_tokens == 0) {
        scores[0] = 0.0f;
        *n_found = 1;
        return EK_OK;
    }
    if (!ek_scores_valid(emissions, n_tokens * n_tags)) return EK_NOT_A_NUMBER;

    const float *start = ek_plan_floats(plan, plan->start), *end = ek_plan_floats(plan, plan->end);
    const size_t width = n_tags * n_best;
    layer before, now;
    before.scores = scratch;
    before.counts = (uint32_t *)(void *)(before.scores + width);
    now.scores = before.scores + layer_words(n_tags, n_best);
    now.counts = (uint32_t *)(void *)(now.scores + width);
    uint32_t *final_places = (uint32_t *)(void *)(now.scores + layer_words(n_tags, n_best));
    uint32_t *places = final_places + n_best; /* [n_tokens][n_tags][n_best]: where a way came from */

    for (size_t tag = 0; tag < n_tags; tag++) {
        before.scores[tag * n_best] = start[tag] + emissions[tag];
        before.counts[tag] = before.scores[tag * n_best] == -INFINITY ? 0 : 1;
    }
    for (size_t t = 1; t < n_tokens; t++) {
        for (uint32_t tag = 0; tag < n_tags; tag++) {
            const float emission = emissions[t * n_tags + tag];
            ways list = {now.scores + tag * n_best, places + t * width + tag * n_best, 0, n_best};
            if (emission != -INFINITY) offer_predecessors(&list, plan, before, tag);
            for (size_t rank = 0; rank < list.n; rank++) list.scores[rank] += emission;
            now.counts[tag] = (uint32_t)list.n;
        }
        const layer swap = before;
        before = now;
        now = swap;
    }

    ways finals = {scores, final_places, 0, n_best};
    for (uint32_t tag = 0; tag < n_tags; tag++) offer_all(&finals, before, tag, end[tag]);
    if (finals.n == 0) return EK_NO_PATH;
    *n_found = finals.n;
    for (size_t path = 0; path < finals.n; path++) {
        scores[path] += 0.0f; /* no negative zero */
        uint32_t place = final_places[path];
        for (size_t t = n_tokens; t-- > 0;) {
            tags[path * n_tokens + t] = (int32_t)(place / n_best);
            if (t > 0) place = places[t * width + place];
        }
    }
    return EK_OK;
}
