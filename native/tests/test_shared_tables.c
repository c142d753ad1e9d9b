/* One plan and one set of hash constants, read by several threads at once; run it under the thread sanitizer. */
#include <pthread.h>

#include "check.h"
#include "edge_kernels.h"

enum { N_TAGS = 33, N_TOKENS = 9, N_HASHES = 100, N_FEATURES = 64, N_THREADS = 4 };

static const ek_hash_scheme SCHEME = {1, N_HASHES, 2, 4, 1};
static uint32_t constants[2 * N_HASHES];
static float emissions[N_TOKENS * N_TAGS];
static ek_tag_plan *plan;

typedef struct result {
    int32_t tags[N_TOKENS];
    float score;
    uint8_t features[N_FEATURES];
} result;

static void *work(void *out) {
    result *mine = out;
    const ek_text unit = {"thread", 6};
    const size_t end = 1;
    uint32_t scratch[N_HASHES];
    void *memory = malloc(ek_viterbi_scratch(N_TOKENS, N_TAGS));
    for (int round = 0; round < 50; round++) {
        CHECK(ek_viterbi(plan, emissions, N_TOKENS, memory, mine->tags, &mine->score) == EK_OK);
        CHECK(ek_project(&SCHEME, constants, &unit, 1, &end, 1, N_FEATURES, scratch, mine->features) == EK_OK);
    }
    free(memory);
    return NULL;
}

int main(void) {
    static float transitions[N_TAGS * N_TAGS], zeros[N_TAGS];
    for (size_t i = 0; i < N_TAGS * N_TAGS; i++) transitions[i] = (float)check_random(100);
    for (size_t i = 0; i < N_TOKENS * N_TAGS; i++) emissions[i] = (float)check_random(100);
    plan = malloc(ek_tag_plan_size(N_TAGS));
    CHECK(ek_build_tag_plan(transitions, zeros, zeros, NULL, NULL, NULL, N_TAGS, plan) == EK_OK);
    CHECK(ek_hash_constants(SCHEME.seed, N_HASHES, constants) == EK_OK);
    static result results[N_THREADS + 1];
    pthread_t threads[N_THREADS];
    for (int i = 0; i < N_THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, &results[i]) == 0);
    work(&results[N_THREADS]);
    for (int i = 0; i < N_THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(memcmp(&results[i], &results[N_THREADS], sizeof(result)) == 0);
    }
    free(plan);
    return 0;
}
