/* How an app uses the library: a lexicon built, stored, opened in place, changed, and a sentence segmented.
 *   cc segment.c -ledge_kernels -lm */
#include <edge_kernels.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY(call)                                                                                                     \
    do {                                                                                                              \
        ek_status status = (call);                                                                                    \
        if (status != EK_OK) {                                                                                        \
            fprintf(stderr, "%s: %s\n", #call, ek_status_message(status));                                           \
            exit(1);                                                                                                  \
        }                                                                                                             \
    } while (0)

enum { MOST = 64 };

static void *allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL) exit(1);
    return memory;
}

/* The stored form of a trie; the caller frees it. A file or a bundle keeps these bytes, and an app maps them. */
static void *build(const char *const *words, size_t count, size_t *size) {
    uint32_t text[MOST], values[MOST];
    size_t ends[MOST], at = 0, length, scratch_size, capacity;
    for (size_t i = 0; i < count; i++) {
        ek_text word = {words[i], strlen(words[i])};
        TRY(ek_ucs_from_utf8(word, text + at, NULL, MOST - at, &length));
        ends[i] = at += length;
        values[i] = (uint32_t)i;
    }
    ek_trie_words source = {text, ends, values, count, EK_TRIE_INT32};
    ek_trie_build_sizes(count, at, &scratch_size, &capacity);
    void *scratch = allocate(scratch_size), *stored = allocate(capacity);
    TRY(ek_trie_build(&source, scratch, scratch_size, stored, capacity, size));
    free(scratch);
    return stored;
}

int main(void) {
    const char *lexicon[] = {"中国", "科学", "技术", "大学", "中国科学技术大学"};
    const char *sentence = "中国科学技术大学在合肥", *modes[] = {"normal", "fine", "coarse", "index"};
    if (ek_abi_version() != EK_ABI_VERSION) {
        fprintf(stderr, "the library has ABI %u, this program was compiled for %d\n", ek_abi_version(), EK_ABI_VERSION);
        return 1;
    }
    size_t size, length, position = 0;
    void *stored = build(lexicon, 5, &size);
    ek_trie trie;
    TRY(ek_trie_open(&trie, stored, size, 0));
    printf("edge_kernels %s: %u words in %zu bytes\n", ek_version(), trie.n_words, size);

    /* A user adds a word; the stored trie stays as it is. */
    uint32_t memory[1024], user[8];
    ek_overlay overlay;
    if (ek_overlay_size(64) > sizeof memory) return 1;
    TRY(ek_overlay_init(&overlay, memory, 64));
    ek_text added = {"合肥", strlen("合肥")};
    TRY(ek_ucs_from_utf8(added, user, NULL, 8, &length));
    ek_ucs word = {user, length, 4};
    TRY(ek_overlay_put(&overlay, word, 5, 0));

    uint32_t characters[MOST], offsets[MOST], values[MOST];
    int32_t starts[MOST], ends[MOST];
    ek_text utf8 = {sentence, strlen(sentence)};
    TRY(ek_ucs_from_utf8(utf8, characters, offsets, MOST, &length));
    ek_ucs text = {characters, length, 4};
    ek_matches found = {starts, ends, values, MOST, 0};
    TRY(ek_overlay_matches(&trie, &overlay, text, &position, &found));

    /* What a model would have found: 中国 / 科学技术 / 大学 / 在 / 合 / 肥 */
    const int32_t model_starts[] = {0, 2, 6, 8, 9, 10}, model_ends[] = {2, 6, 8, 9, 10, 11};
    ek_words model = {model_starts, model_ends, 6}, matches = {starts, ends, found.count};
    size_t scratch_size = ek_segment_size(length, model.count, matches.count), count;
    void *scratch = allocate(scratch_size);
    for (int mode = 0; mode < 4; mode++) {
        int32_t from[2 * MOST], to[2 * MOST];
        if (ek_segment_most((ek_mode)mode, length, matches.count) > 2 * MOST) return 1;
        TRY(ek_segment((ek_mode)mode, length, model, matches, scratch, scratch_size, from, to, &count));
        printf("%s:", modes[mode]);
        for (size_t i = 0; i < count; i++) /* back to bytes of the caller's text */
            printf(" %.*s", (int)(offsets[to[i]] - offsets[from[i]]), sentence + offsets[from[i]]);
        printf("\n");
    }
    free(scratch);
    free(stored);
    return 0;
}
