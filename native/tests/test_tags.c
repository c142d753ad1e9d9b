/* Viterbi and n-best against all paths, the vector variants against plain C, plans of every density, bad input. */
#include <math.h>

#include "../src/tag_plan.h"
#include "check.h"
#include "edge_kernels.h"

enum { MAX_TAGS = 4, MAX_TOKENS = 4, MAX_PATHS = 256, N_BEST = 7 };

typedef struct problem {
    size_t n_tags, n_tokens;
    float emissions[MAX_TOKENS * MAX_TAGS], transitions[MAX_TAGS * MAX_TAGS], start[MAX_TAGS], end[MAX_TAGS];
    uint8_t allowed[MAX_TAGS * MAX_TAGS], allowed_start[MAX_TAGS], allowed_end[MAX_TAGS];
} problem;

/* Small whole numbers: sums are exact, ties frequent. */
static void fill(float *scores, uint8_t *allowed, size_t n) {
    for (size_t i = 0; i < n; i++) {
        scores[i] = (float)check_random(5) - 2.0f;
        if (allowed) allowed[i] = check_random(4) > 0;
    }
}

static problem random_problem(void) {
    problem p;
    p.n_tags = 1 + check_random(MAX_TAGS);
    p.n_tokens = 1 + check_random(MAX_TOKENS);
    fill(p.emissions, NULL, p.n_tokens * p.n_tags);
    fill(p.transitions, p.allowed, p.n_tags * p.n_tags);
    fill(p.start, p.allowed_start, p.n_tags);
    fill(p.end, p.allowed_end, p.n_tags);
    return p;
}

/* Path number `number`, written in base n_tags with its last tag first, so that numbers order equal scores as the
 * library does. Returns minus infinity if it is not allowed. */
static float path_score(const problem *p, size_t number, int32_t *path) {
    size_t left = number, weight = 1;
    for (size_t t = 1; t < p->n_tokens; t++) weight *= p->n_tags;
    for (size_t t = p->n_tokens; t-- > 0; left %= weight, weight /= weight > 1 ? p->n_tags : 1)
        path[t] = (int32_t)(left / weight);
    const size_t first = (size_t)path[0], last = (size_t)path[p->n_tokens - 1];
    int allowed = p->allowed_start[first] && p->allowed_end[last];
    float score = p->start[first] + p->end[last];
    for (size_t t = 0; t < p->n_tokens; t++) {
        score += p->emissions[t * p->n_tags + (size_t)path[t]];
        if (t == 0) continue;
        const size_t step = (size_t)path[t - 1] * p->n_tags + (size_t)path[t];
        score += p->transitions[step];
        allowed = allowed && p->allowed[step];
    }
    return allowed ? score : -INFINITY;
}

static ek_tag_plan *build(const problem *p) {
    ek_tag_plan *plan = malloc(ek_tag_plan_size(p->n_tags));
    CHECK(ek_build_tag_plan(p->transitions, p->start, p->end, p->allowed, p->allowed_start, p->allowed_end, p->n_tags,
                            plan) == EK_OK);
    return plan;
}

static void all_paths(void) {
    for (int round = 0; round < 3000; round++) {
        const problem p = random_problem();
        size_t n_paths = 1;
        for (size_t t = 0; t < p.n_tokens; t++) n_paths *= p.n_tags;
        float scores[MAX_PATHS];
        int32_t path[MAX_TOKENS], tags[N_BEST * MAX_TOKENS];
        size_t n_allowed = 0;
        for (size_t number = 0; number < n_paths; number++) {
            scores[number] = path_score(&p, number, path);
            n_allowed += scores[number] != -INFINITY;
        }

        ek_tag_plan *plan = build(&p);
        void *scratch = malloc(ek_viterbi_scratch(p.n_tokens, p.n_tags));
        float score, best_scores[N_BEST];
        const ek_status status = ek_viterbi(plan, p.emissions, p.n_tokens, scratch, tags, &score);
        CHECK(status == (n_allowed ? EK_OK : EK_NO_PATH));
        free(scratch);
        int32_t best[MAX_TOKENS];
        memcpy(best, tags, sizeof best);

        scratch = malloc(ek_viterbi_nbest_scratch(p.n_tokens, p.n_tags, N_BEST));
        size_t n_found;
        CHECK(ek_viterbi_nbest(plan, p.emissions, p.n_tokens, N_BEST, scratch, tags, best_scores, &n_found) == status);
        CHECK(n_found == (n_allowed < N_BEST ? n_allowed : N_BEST));
        for (size_t place = 0; place < n_found; place++) {
            size_t high = 0;
            for (size_t number = 1; number < n_paths; number++)
                if (scores[number] > scores[high]) high = number;
            CHECK(path_score(&p, high, path) == best_scores[place]);
            CHECK(memcmp(path, tags + place * p.n_tokens, p.n_tokens * sizeof *path) == 0);
            if (place == 0) {
                CHECK(score == best_scores[0]);
                CHECK(memcmp(path, best, p.n_tokens * sizeof *path) == 0);
            }
            scores[high] = -INFINITY;
        }
        free(scratch), free(plan);
    }
}

static void variants_agree(void) {
    enum { ROWS = 40, COLUMNS = 192 };
    static float matrix[ROWS * COLUMNS], previous[ROWS], expected[COLUMNS], found[COLUMNS];
    CHECK(ek_max_plus_variant(0));
    for (int round = 0; round < 300; round++) {
        const size_t n_rows = check_random(ROWS + 1), stride = EK_PLAN_LANES * check_random(COLUMNS / EK_PLAN_LANES + 1);
        for (size_t i = 0; i < n_rows * stride; i++)
            matrix[i] = check_random(4) ? (float)check_random(1u << 30) / 1000.0f : -INFINITY;
        for (size_t i = 0; i < n_rows; i++) previous[i] = check_random(4) ? (float)check_random(1000) : -INFINITY;
        ek_max_plus_variant(0)(previous, n_rows, matrix, stride, expected);
        for (size_t number = 1; number < EK_MAX_PLUS_VARIANTS; number++) {
            if (!ek_max_plus_variant(number)) continue;
            ek_max_plus_variant(number)(previous, n_rows, matrix, stride, found);
            for (size_t j = 0; j < stride; j++) CHECK(expected[j] == found[j]);
        }
    }
}

/* Blocks of exactly the stated sizes, for the sanitizers; a decoder of masks only must find an allowed path. */
static void plans_fit_their_memory(void) {
    for (size_t n_tags = 1; n_tags < 100; n_tags += 1 + check_random(3)) {
        float *zeros = calloc(n_tags * n_tags, sizeof *zeros);
        uint8_t *allowed = malloc(n_tags * n_tags);
        for (size_t to = 0; to < n_tags; to++) {
            const uint32_t share = check_random(3) ? 100 : check_random(40);
            for (size_t from = 0; from < n_tags; from++)
                allowed[from * n_tags + to] = from == to || check_random(100) < share;
        }
        char *memory = malloc(ek_tag_plan_size(n_tags) + 4); /* aligned to 4 bytes only */
        ek_tag_plan *plan = (ek_tag_plan *)(void *)(memory + 4);
        CHECK(ek_build_tag_plan(zeros, zeros, zeros, allowed, NULL, NULL, n_tags, plan) == EK_OK);
        void *scratch = malloc(ek_viterbi_scratch(n_tags, n_tags));
        int32_t *tags = malloc(n_tags * sizeof *tags);
        float score = 1;
        CHECK(ek_viterbi(plan, zeros, n_tags, scratch, tags, &score) == EK_OK);
        CHECK(score == 0);
        for (size_t t = 1; t < n_tags; t++) CHECK(allowed[(size_t)tags[t - 1] * n_tags + (size_t)tags[t]]);
        free(zeros), free(allowed), free(memory), free(scratch), free(tags);
    }
}

static void bad_arguments(void) {
    CHECK(ek_tag_plan_size(0) == 0 && ek_tag_plan_size(EK_MAX_TAGS + 1) == 0);
    CHECK(ek_viterbi_scratch(1, 0) == 0 && ek_viterbi_scratch(EK_MAX_TOKENS + 1, 1) == 0);
    CHECK(ek_viterbi_nbest_scratch(1, 1, 0) == 0 && ek_viterbi_nbest_scratch(1, 1, EK_MAX_NBEST + 1) == 0);
    const problem p = random_problem();
    ek_tag_plan *plan = build(&p);
    float score, scratch[64], broken[MAX_TOKENS * MAX_TAGS];
    int32_t tags[MAX_TOKENS];
    const float wrong[] = {NAN, INFINITY, 2e30f, -2e30f};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memcpy(broken, p.emissions, sizeof broken);
        broken[p.n_tokens * p.n_tags - 1] = wrong[i];
        CHECK(ek_viterbi(plan, broken, p.n_tokens, scratch, tags, &score) == EK_NOT_A_NUMBER);
        CHECK(ek_argmax_tags(broken, p.n_tokens, p.n_tags, tags) == EK_NOT_A_NUMBER);
        CHECK(ek_build_tag_plan(wrong + i, &score, &score, NULL, NULL, NULL, 1, plan) == EK_NOT_A_NUMBER);
    }
    free(plan);
    plan = build(&p);
    CHECK(ek_viterbi(plan, NULL, 0, NULL, NULL, &score) == EK_OK && score == 0);
    CHECK(ek_viterbi(plan, NULL, 1, scratch, tags, &score) == EK_BAD_ARGUMENT);
    CHECK(ek_viterbi(NULL, p.emissions, 1, scratch, tags, &score) == EK_BAD_ARGUMENT);
    CHECK(ek_viterbi(plan, p.emissions, EK_MAX_TOKENS + 1, scratch, tags, &score) == EK_BAD_ARGUMENT);
    CHECK(ek_build_tag_plan(NULL, &score, &score, NULL, NULL, NULL, 1, plan) == EK_BAD_ARGUMENT);
    CHECK(ek_argmax_tags(p.emissions, 1, 0, tags) == EK_BAD_ARGUMENT);
    free(plan);
}

int main(void) {
    all_paths();
    variants_agree();
    plans_fit_their_memory();
    bad_arguments();
    return 0;
}
