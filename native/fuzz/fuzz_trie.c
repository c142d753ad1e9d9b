/* Reads a trie whose bytes are arbitrary. The header's magic, version and sizes are made to fit, and the checksum is
 * skipped, so that the bytes get past ek_trie_open. */
#include "bytes.h"
#include "edge_kernels.h"

#include <stdlib.h>

enum { TEXT = 64, HEADER = 64 };

static void read_trie(const uint8_t *data, size_t size, uint32_t flags, ek_ucs text) {
    ek_trie trie;
    if (ek_trie_open(&trie, data, size, flags) != EK_OK) return;
    int32_t starts[TEXT], ends[TEXT];
    uint32_t values[TEXT], value;
    size_t position = 0, end;
    int found;
    while (position < text.length) {
        ek_matches matches = {starts, ends, values, TEXT, 0};
        if (ek_trie_matches(&trie, text, &position, &matches) != EK_OK) abort(); /* a start has at most TEXT matches */
        for (size_t i = 0; i < matches.count; i++)
            if (starts[i] < 0 || ends[i] <= starts[i] || (size_t)ends[i] > text.length) abort();
        ek_trie_longest(&trie, text, position, &end, &value);
        ek_trie_get(&trie, text, &value, &found);
    }
    uint32_t *path = malloc(8 * (3 * (size_t)trie.max_length + 1));
    uint32_t *word = malloc(4 * (2 + (size_t)trie.max_length + 3));
    ek_trie_walk walk;
    ek_ucs prefix = {text.data, text.length < 2 ? 0 : data[size - 1] % 3u, text.width};
    if (path && word && ek_trie_walk_begin(&walk, &trie, prefix, path, word) == EK_OK)
        while (ek_trie_walk_next(&walk, &end, &value, &found) == EK_OK && found)
            if (end > prefix.length + trie.max_length) abort();
    free(path);
    free(word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4 * TEXT + HEADER) return 0;
    uint32_t text[TEXT];
    for (size_t i = 0; i < TEXT; i++) text[i] = ek_load32(data, i);
    ek_ucs view = {text, TEXT, 4};
    size = (size - 4 * TEXT) & ~(size_t)1;
    uint8_t *copy = malloc(size);
    if (copy == NULL) return 0;
    memcpy(copy, data + 4 * TEXT, size);
    read_trie(copy, size, 0, view);
    read_trie(copy, size, EK_TRIE_SKIP_CHECKSUM, view);
    memcpy(copy, "EKTRIE01", 8);
    ek_store32(copy, 4, 1);
    ek_store64(copy, 3, size);
    uint64_t slots = ek_load32(copy, 9), fixed = HEADER + 6 * slots + (slots + 31) / 32 * 8 +
                                                 4 * (uint64_t)ek_load32(copy, 11) + 2 * (uint64_t)ek_load32(copy, 12) +
                                                 512 * (uint64_t)ek_load32(copy, 13);
    if (fixed <= size) {
        ek_store32(copy, 10, (uint32_t)((size - fixed) / 2));
        read_trie(copy, size, EK_TRIE_SKIP_CHECKSUM, view);
    }
    free(copy);
    return 0;
}
