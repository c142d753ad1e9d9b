/* Any bytes as scores, masks and sizes: the best path is the first of the n best, and its spans lie within it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge_kernels.h"

/* Small numbers, with the odd infinity and NaN. */
static float score_of(uint8_t byte) {
    if (byte == 255) return NAN;
    if (byte >= 250) return -INFINITY;
    return (float)byte / 8.0f - 12.0f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    const size_t n_tags = data[0] % 40u + 1, n_tokens = data[1] % 12u, n_best = data[2] % 6u + 1;
    const int masked = data[3] & 1;
    data += 4, size -= 4;
    const size_t n_transitions = n_tags * n_tags, n_emissions = n_tokens * n_tags;
    float *transitions = malloc(n_transitions * sizeof *transitions), *start = malloc(n_tags * sizeof *start);
    float *end = malloc(n_tags * sizeof *end), *emissions = malloc((n_emissions + 1) * sizeof *emissions);
    uint8_t *allowed = malloc(n_transitions), *kinds = malloc(n_tags);
    int32_t *types = malloc(n_tags * sizeof *types);
    size_t at = 0;
#define NEXT_BYTE (size ? data[at++ % size] : (uint8_t)0)
    for (size_t i = 0; i < n_transitions; i++) {
        const uint8_t byte = NEXT_BYTE;
        transitions[i] = score_of(byte);
        allowed[i] = byte & 1;
    }
    for (size_t i = 0; i < n_tags; i++) {
        start[i] = score_of(NEXT_BYTE);
        end[i] = score_of(NEXT_BYTE);
        kinds[i] = NEXT_BYTE % 5;
        types[i] = kinds[i] ? NEXT_BYTE % 3 : -1;
    }
    for (size_t i = 0; i < n_emissions; i++) emissions[i] = score_of(NEXT_BYTE);

    ek_tag_plan *plan = malloc(ek_tag_plan_size(n_tags));
    if (ek_build_tag_plan(transitions, start, end, masked ? allowed : NULL, NULL, NULL, n_tags, plan) == EK_OK) {
        void *scratch = malloc(ek_viterbi_scratch(n_tokens, n_tags));
        void *more = malloc(ek_viterbi_nbest_scratch(n_tokens, n_tags, n_best));
        int32_t *tags = malloc((n_tokens + 1) * sizeof *tags), *paths = malloc((n_tokens * n_best + 1) * sizeof *paths);
        float score = 0, scores[6];
        size_t n_found = 0, n_spans = 0;
        const ek_status status = ek_viterbi(plan, emissions, n_tokens, scratch, tags, &score);
        if (status != ek_viterbi_nbest(plan, emissions, n_tokens, n_best, more, paths, scores, &n_found)) abort();
        if (status == EK_OK) {
            if (score != scores[0] || memcmp(tags, paths, n_tokens * sizeof *tags) != 0) abort();
            for (size_t i = 1; i < n_found; i++)
                if (scores[i] > scores[i - 1]) abort();
            ek_span *spans = malloc((n_tokens + 1) * sizeof *spans);
            double *means = malloc((n_tokens + 1) * sizeof *means);
            if (ek_tag_spans(tags, n_tokens, kinds, types, n_tags, spans, &n_spans) != EK_OK) abort();
            if (ek_span_scores(emissions, tags, n_tokens, n_tags, spans, n_spans, means) != EK_OK) abort();
            free(spans), free(means);
        }
        free(scratch), free(more), free(tags), free(paths);
    }
    free(transitions), free(start), free(end), free(emissions), free(allowed), free(kinds), free(types), free(plan);
    return 0;
}
