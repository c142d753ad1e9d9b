#include "edge_kernels/trie.h"

#include "edge_kernels/hash.h"
#include "trie_node.h"



ek_status ek_trie_open(ek_trie *trie, const void *data, size_t size, uint32_t flags) {
    const uint8_t *p = data;
    if (trie == NULL || data == NULL) return EK_BAD_ARGUMENT;
    if (size < EK_HEADER || memcmp(p, EK_TRIE_MAGIC, 8) != 0) return EK_CORRUPT;
    if (ek_load32(p, 4) != 1) return EK_UNSUPPORTED;
    trie->value_kind = ek_load32(p, 5);
    trie->n_words = ek_load32(p, 8);
    trie->n_slots = ek_load32(p, 9);
    trie->n_tails = ek_load32(p, 10);
    trie->n_codes = ek_load32(p, 11);
    trie->n_page_index = ek_load32(p, 12);
    trie->n_pages = ek_load32(p, 13);
    trie->max_length = ek_load32(p, 14);
    trie->root = ek_load32(p, 15);

    uint64_t blocks = ((uint64_t)trie->n_slots + 31) / 32;
    uint64_t needed = EK_HEADER + 4 * (uint64_t)trie->n_slots + 8 * blocks + 4 * (uint64_t)trie->n_codes +
                      2 * ((uint64_t)trie->n_slots + trie->n_tails + trie->n_page_index) +
                      2 * EK_PAGE * (uint64_t)trie->n_pages;
    if (needed != size || ek_load64(p, 3) != size) return EK_CORRUPT;
    /* These keep every sum of a base, a code and a length within 32 bits. */
    if (trie->n_slots >= EK_WORD_HERE || trie->root >= EK_WORD_HERE || trie->n_tails >= EK_WORD_HERE ||
        trie->max_length > (uint64_t)trie->n_slots + trie->n_tails || trie->n_codes > EK_TRIE_DIRECT || trie->value_kind > EK_TRIE_FLOAT32 ||
        trie->n_page_index > EK_CODE_POINTS / EK_PAGE)
        return EK_CORRUPT;
    trie->values = p + EK_HEADER;
    trie->tails_of = trie->values + 4 * (size_t)trie->n_slots;
    trie->code_points = trie->tails_of + 8 * (size_t)blocks;
    trie->checks = trie->code_points + 4 * (size_t)trie->n_codes;
    trie->tails = trie->checks + 2 * (size_t)trie->n_slots;
    trie->page_index = trie->tails + 2 * (size_t)trie->n_tails;
    trie->pages = trie->page_index + 2 * (size_t)trie->n_page_index;
    for (uint32_t i = 0; i < trie->n_page_index; i++)
        if (ek_load16(trie->page_index, i) >= trie->n_pages) return EK_CORRUPT;
    if (!(flags & EK_TRIE_SKIP_CHECKSUM) && ek_load64(p, 1) != ek_xxh64(p + 16, size - 16, 0)) return EK_CORRUPT;
    return EK_OK;
}

ek_status ek_trie_get(const ek_trie *trie, ek_ucs word, uint32_t *value, int *found) {
    if (trie == NULL || value == NULL || found == NULL || !ek_ucs_valid(word)) return EK_BAD_ARGUMENT;
    *found = 0;
    if (word.length == 0) return EK_OK;
    ek_node node = ek_root(trie);
    for (size_t i = 0; i < word.length; i++)
        if (!ek_step_char(trie, &node, ek_at(word.data, word.width, i))) return EK_OK;
    *found = ek_word_here(trie, &node, value);
    return EK_OK;
}

ek_status ek_trie_longest(const ek_trie *trie, ek_ucs text, size_t start, size_t *end, uint32_t *value) {
    if (trie == NULL || end == NULL || value == NULL || !ek_ucs_valid(text)) return EK_BAD_ARGUMENT;
    if (start > text.length) return EK_OUT_OF_RANGE;
    *end = start;
    ek_node node = ek_root(trie);
    for (size_t i = start; i < text.length && ek_step_char(trie, &node, ek_at(text.data, text.width, i)); i++)
        if (ek_word_here(trie, &node, value)) *end = i + 1;
    return EK_OK;
}

/* ek_trie_matches for one width of text; inlined three times so that reading a character is one load. */
static inline ek_status matches_of_width(const ek_trie *trie, const void *data, uint32_t width, size_t length,
                                         size_t *position, ek_matches *matches) {
    size_t before = matches->count;
    for (size_t start = *position; start < length; start++) {
        size_t first = matches->count;
        size_t stop = length - start > trie->max_length ? start + trie->max_length : length;
        ek_node node = ek_root(trie);
        for (size_t i = start; i < stop && ek_step_char(trie, &node, ek_at(data, width, i)); i++) {
            uint32_t value;
            if (!ek_word_here(trie, &node, &value)) continue;
            if (!ek_add_match(matches, start, i + 1, value)) {
                matches->count = first;
                *position = start;
                return first == before ? EK_TOO_SMALL : EK_OK;
            }
        }
    }
    *position = length;
    return EK_OK;
}

ek_status ek_trie_matches(const ek_trie *trie, ek_ucs text, size_t *position, ek_matches *matches) {
    if (trie == NULL || position == NULL || !ek_ucs_valid(text) || !ek_matches_valid(matches)) return EK_BAD_ARGUMENT;
    if (text.length > INT32_MAX || *position > text.length) return EK_OUT_OF_RANGE;
    if (text.width == 1) return matches_of_width(trie, text.data, 1, text.length, position, matches);
    if (text.width == 2) return matches_of_width(trie, text.data, 2, text.length, position, matches);
    return matches_of_width(trie, text.data, 4, text.length, position, matches);
}
