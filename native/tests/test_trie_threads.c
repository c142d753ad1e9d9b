/* One trie and one overlay, read by several threads at once: for the thread sanitizer. */
#include "check.h"
#include "edge_kernels.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 200, TEXT = 200, WORDS = 50 };

typedef struct shared {
    ek_trie trie;
    ek_overlay overlay;
    uint8_t text[TEXT];
} shared;

static size_t look_up(const shared *s) {
    int32_t starts[4 * TEXT], ends[4 * TEXT];
    uint32_t values[4 * TEXT];
    ek_matches found = {starts, ends, values, 4 * TEXT, 0};
    ek_ucs text = {s->text, TEXT, 1};
    size_t position = 0, sum = 0;
    CHECK(ek_overlay_matches(&s->trie, &s->overlay, text, &position, &found) == EK_OK && position == TEXT);
    for (size_t i = 0; i < found.count; i++) sum = sum * 31 + (size_t)starts[i] + (size_t)ends[i] * 7 + values[i];
    found.count = position = 0;
    CHECK(ek_trie_matches(&s->trie, text, &position, &found) == EK_OK && position == TEXT);
    return sum * 31 + found.count;
}

static void *work(void *argument) {
    const shared *s = argument;
    size_t first = look_up(s);
    for (int i = 0; i < ROUNDS; i++) CHECK(look_up(s) == first);
    return (void *)(uintptr_t)first;
}

int main(void) {
    static shared s;
    static uint32_t memory[4096];
    uint32_t text[3 * WORDS], values[WORDS];
    size_t ends[WORDS], scratch_size, capacity, size;
    for (uint32_t i = 0; i < 3 * WORDS; i++) text[i] = 'a' + check_random(3);
    for (uint32_t i = 0; i < WORDS; i++) ends[i] = 3 * i + 1 + check_random(3), values[i] = i;
    ends[WORDS - 1] = 3 * WORDS;
    for (int i = 0; i < TEXT; i++) s.text[i] = (uint8_t)('a' + check_random(3));
    ek_trie_words words = {text, ends, values, WORDS, EK_TRIE_INT32};
    ek_trie_build_sizes(WORDS, 3 * WORDS, &scratch_size, &capacity);
    void *scratch = malloc(scratch_size), *stored = malloc(capacity);
    CHECK(scratch && stored && ek_trie_build(&words, scratch, scratch_size, stored, capacity, &size) == EK_OK);
    CHECK(ek_trie_open(&s.trie, stored, size, 0) == EK_OK);
    CHECK(ek_overlay_size(64) <= sizeof memory && ek_overlay_init(&s.overlay, memory, 64) == EK_OK);
    for (uint32_t i = 0; i < 20; i++) {
        ek_ucs word = {s.text + i, 1 + i % 3, 1};
        CHECK(ek_overlay_put(&s.overlay, word, i, i % 4 == 0) == EK_OK);
    }
    pthread_t threads[THREADS];
    void *result;
    size_t expected = look_up(&s);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, &s) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], &result) == 0 && (size_t)(uintptr_t)result == expected);
    free(scratch);
    free(stored);
    return 0;
}
