/* Builds a trie from arbitrary words, changes some through an overlay, and compares with a search word by word.
 * Input: words of bytes, each followed by a control byte >= 0xF0 that says what happens to it; then the text. */
#include "edge_kernels.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS = 64, TEXT = 256 };

typedef struct word {
    const uint8_t *text;
    size_t length;
    uint32_t value;
    int there;
} word;

static word *find(word *words, size_t count, const uint8_t *text, size_t length) {
    for (size_t i = 0; i < count; i++)
        if (words[i].length == length && memcmp(words[i].text, text, length) == 0) return &words[i];
    return NULL;
}

static void expect(const ek_trie *trie, const ek_overlay *overlay, word *words, size_t count, ek_ucs text) {
    int32_t starts[TEXT], ends[TEXT];
    uint32_t values[TEXT];
    size_t position = 0, n = 0;
    ek_matches found = {starts, ends, values, TEXT, 0};
    for (size_t start = 0; start < text.length; start++) {
        for (size_t end = start + 1; end <= text.length; end++) {
            const word *w = find(words, count, (const uint8_t *)text.data + start, end - start);
            if (w == NULL || !w->there) continue;
            if (n == found.count) { /* fetch more */
                n = found.count = 0;
                if ((overlay ? ek_overlay_matches(trie, overlay, text, &position, &found)
                             : ek_trie_matches(trie, text, &position, &found)) != EK_OK)
                    abort();
            }
            if (n >= found.count || starts[n] != (int32_t)start || ends[n] != (int32_t)end || values[n] != w->value)
                abort();
            n++;
        }
    }
    if (n != found.count) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    word words[WORDS];
    uint8_t controls[WORDS];
    size_t count = 0, first = 0, ends[WORDS], scratch_size, capacity, built = 0;
    uint32_t text[4096], values[WORDS];
    if (size > 4096) return 0;
    size_t i = 0, total = 0;
    for (; i < size && count < WORDS; i++) {
        if (data[i] < 0xF0) continue;
        word *w = find(words, count, data + first, i - first);
        if (i > first && w == NULL) {
            word added = {data + first, i - first, (uint32_t)count, !(data[i] & 1)};
            controls[count] = data[i];
            words[count++] = added;
        }
        first = i + 1;
    }
    for (size_t k = 0; k < count; k++) { /* bit 0: only in the overlay */
        if (!words[k].there) continue;
        for (size_t j = 0; j < words[k].length; j++) text[total++] = words[k].text[j];
        ends[built] = total;
        values[built++] = words[k].value;
    }
    ek_trie_words source = {text, ends, values, built, EK_TRIE_INT32};
    ek_trie_build_sizes(built, total, &scratch_size, &capacity);
    void *scratch = malloc(scratch_size), *output = malloc(capacity), *memory = malloc(ek_overlay_size(4096));
    ek_trie trie;
    ek_overlay overlay;
    size_t stored;
    if (!scratch || !output || !memory) abort();
    if (ek_trie_build(&source, scratch, scratch_size, output, capacity, &stored) != EK_OK) abort();
    if (ek_trie_open(&trie, output, stored, 0) != EK_OK || ek_overlay_init(&overlay, memory, 4096) != EK_OK) abort();
    size_t length = size - first < TEXT / 4 ? size - first : TEXT / 4;
    ek_ucs view = {data + first, length, 1};
    expect(&trie, NULL, words, count, view);
    for (size_t k = 0; k < count; k++) { /* bit 0: added, bit 1: removed, bit 2: another value */
        ek_ucs w = {words[k].text, words[k].length, 1};
        if (controls[k] & 5) words[k].there = 1, words[k].value += 1000;
        if (controls[k] & 2) words[k].there = 0;
        if (controls[k] & 7 && ek_overlay_put(&overlay, w, words[k].value, !words[k].there) != EK_OK) abort();
    }
    expect(&trie, &overlay, words, count, view);
    free(scratch);
    free(output);
    free(memory);
    return 0;
}
