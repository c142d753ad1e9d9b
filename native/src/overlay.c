#include "edge_kernels/overlay.h"

#include "trie_node.h"

enum { PARENT, CHARACTER, VALUE, FIELDS }; /* of a node */
#define ADDED 0x40000000u                  /* states, in the high bits of CHARACTER */
#define REMOVED 0x80000000u
#define STATES (ADDED | REMOVED)

static uint32_t *field(const ek_overlay *overlay, uint32_t node, int which) {
    return &overlay->nodes[(size_t)(node - 1) * FIELDS + (size_t)which];
}

static uint32_t table_size(uint32_t capacity) {
    uint32_t size = 4;
    while (size < capacity + capacity / 2) size *= 2; /* at most two thirds full */
    return size;
}

size_t ek_overlay_size(uint32_t capacity) { return ((size_t)capacity * FIELDS + table_size(capacity)) * 4; }

ek_status ek_overlay_init(ek_overlay *overlay, void *memory, uint32_t capacity) {
    if (overlay == NULL || memory == NULL || capacity > 1u << 28) return EK_BAD_ARGUMENT;
    memset(overlay, 0, sizeof *overlay);
    overlay->capacity = capacity;
    overlay->nodes = memory;
    overlay->table = overlay->nodes + (size_t)capacity * FIELDS;
    overlay->table_mask = table_size(capacity) - 1;
    memset(overlay->table, 0, sizeof(uint32_t) * table_size(capacity));
    return EK_OK;
}

/* The place in the table of the child of `parent` (0: the root) by `character`, or of its absence. */
static uint32_t *lookup(const ek_overlay *overlay, uint32_t parent, uint32_t character) {
    uint32_t hash = parent * 0x9E3779B1u ^ character * 0x85EBCA77u;
    hash = (hash ^ hash >> 15) * 0xC2B2AE3Du;
    for (uint32_t i = hash ^ hash >> 13;; i++) {
        uint32_t *place = &overlay->table[i & overlay->table_mask];
        if (*place == 0) return place;
        if (*field(overlay, *place, PARENT) == parent && (*field(overlay, *place, CHARACTER) & ~STATES) == character)
            return place;
    }
}

static uint32_t child_of(const ek_overlay *overlay, uint32_t parent, uint32_t character) {
    if (parent == 0 && !(overlay->first[character / 64 % 4] >> character % 64 & 1)) return 0;
    return *lookup(overlay, parent, character);
}

static uint32_t add_child(ek_overlay *overlay, uint32_t parent, uint32_t character) {
    uint32_t *place = lookup(overlay, parent, character);
    if (*place != 0) return *place;
    *place = ++overlay->n_nodes;
    *field(overlay, *place, PARENT) = parent;
    *field(overlay, *place, CHARACTER) = character;
    *field(overlay, *place, VALUE) = 0;
    if (parent == 0) overlay->first[character / 64 % 4] |= (uint64_t)1 << character % 64;
    return *place;
}

ek_status ek_overlay_copy(ek_overlay *to, const ek_overlay *from) {
    if (to == NULL || from == NULL || to->n_nodes != 0) return EK_BAD_ARGUMENT;
    if (to->capacity < from->n_nodes) return EK_TOO_SMALL;
    for (uint32_t node = 1; node <= from->n_nodes; node++) { /* parents come before their children */
        uint32_t character = *field(from, node, CHARACTER);
        uint32_t copy = add_child(to, *field(from, node, PARENT), character & ~STATES);
        *field(to, copy, CHARACTER) = character;
        *field(to, copy, VALUE) = *field(from, node, VALUE);
    }
    return EK_OK;
}

ek_status ek_overlay_put(ek_overlay *overlay, ek_ucs word, uint32_t value, int removed) {
    if (overlay == NULL || !ek_ucs_valid(word) || word.length == 0) return EK_BAD_ARGUMENT;
    for (size_t i = 0; i < word.length; i++)
        if (ek_at(word.data, word.width, i) >= EK_CODE_POINTS) return EK_OUT_OF_RANGE;
    uint32_t node = 0;
    size_t i = 0;
    for (; i < word.length; i++) {
        uint32_t child = child_of(overlay, node, ek_at(word.data, word.width, i));
        if (child == 0) break;
        node = child;
    }
    if (word.length - i > overlay->capacity - overlay->n_nodes) return EK_TOO_SMALL;
    for (; i < word.length; i++) node = add_child(overlay, node, ek_at(word.data, word.width, i));
    uint32_t *character = field(overlay, node, CHARACTER);
    *character = (*character & ~STATES) | (removed ? REMOVED : ADDED);
    *field(overlay, node, VALUE) = value;
    return EK_OK;
}

ek_status ek_overlay_change(const ek_overlay *overlay, uint32_t index, uint32_t *word, size_t capacity,
                            size_t *length, uint32_t *value, int *removed) {
    if (overlay == NULL || word == NULL || length == NULL || value == NULL || removed == NULL) return EK_BAD_ARGUMENT;
    if (index == 0 || index > overlay->n_nodes) return EK_OUT_OF_RANGE;
    *length = 0;
    uint32_t state = *field(overlay, index, CHARACTER) & STATES;
    if (state == 0) return EK_OK;
    *value = *field(overlay, index, VALUE);
    *removed = state == REMOVED;
    for (uint32_t node = index; node != 0; node = *field(overlay, node, PARENT)) {
        if (*length == capacity) return EK_TOO_SMALL;
        word[capacity - ++*length] = *field(overlay, node, CHARACTER) & ~STATES;
    }
    return EK_OK;
}

/* A walk through the trie and the overlay at once. */
typedef struct both {
    ek_node node;
    uint32_t change;
    int in_trie, in_overlay;
} both;

static both root_of(const ek_trie *trie) {
    both at = {ek_root(trie), 0, 1, 1};
    return at;
}

/* Moves on by one character; 0 if neither has a word that goes on so. */
static int step_both(const ek_trie *trie, const ek_overlay *overlay, both *at, uint32_t character) {
    at->in_trie = at->in_trie && ek_step_char(trie, &at->node, character);
    if (at->in_overlay) {
        at->change = character < EK_CODE_POINTS ? child_of(overlay, at->change, character) : 0;
        at->in_overlay = at->change != 0;
    }
    return at->in_trie || at->in_overlay;
}

static int word_of_both(const ek_trie *trie, const ek_overlay *overlay, const both *at, uint32_t *value) {
    uint32_t state = at->in_overlay ? *field(overlay, at->change, CHARACTER) & STATES : 0;
    if (state == ADDED) *value = *field(overlay, at->change, VALUE);
    if (state != 0) return state == ADDED;
    return at->in_trie && ek_word_here(trie, &at->node, value);
}

ek_status ek_overlay_get(const ek_trie *trie, const ek_overlay *overlay, ek_ucs word, uint32_t *value, int *found) {
    if (trie == NULL || overlay == NULL || value == NULL || found == NULL || !ek_ucs_valid(word))
        return EK_BAD_ARGUMENT;
    *found = 0;
    both at = root_of(trie);
    for (size_t i = 0; i < word.length; i++)
        if (!step_both(trie, overlay, &at, ek_at(word.data, word.width, i))) return EK_OK;
    if (word.length > 0) *found = word_of_both(trie, overlay, &at, value);
    return EK_OK;
}

ek_status ek_overlay_longest(const ek_trie *trie, const ek_overlay *overlay, ek_ucs text, size_t start, size_t *end,
                             uint32_t *value) {
    if (trie == NULL || overlay == NULL || end == NULL || value == NULL || !ek_ucs_valid(text)) return EK_BAD_ARGUMENT;
    if (start > text.length) return EK_OUT_OF_RANGE;
    *end = start;
    both at = root_of(trie);
    for (size_t i = start; i < text.length && step_both(trie, overlay, &at, ek_at(text.data, text.width, i)); i++)
        if (word_of_both(trie, overlay, &at, value)) *end = i + 1;
    return EK_OK;
}

ek_status ek_overlay_matches(const ek_trie *trie, const ek_overlay *overlay, ek_ucs text, size_t *position,
                             ek_matches *matches) {
    if (trie == NULL || overlay == NULL || position == NULL || !ek_ucs_valid(text) || !ek_matches_valid(matches))
        return EK_BAD_ARGUMENT;
    if (text.length > INT32_MAX || *position > text.length) return EK_OUT_OF_RANGE;
    size_t before = matches->count;
    for (; *position < text.length; ++*position) {
        size_t first = matches->count;
        both at = root_of(trie);
        for (size_t i = *position;
             i < text.length && step_both(trie, overlay, &at, ek_at(text.data, text.width, i)); i++) {
            uint32_t value;
            if (!word_of_both(trie, overlay, &at, &value)) continue;
            if (!ek_add_match(matches, *position, i + 1, value)) {
                matches->count = first;
                return first == before ? EK_TOO_SMALL : EK_OK;
            }
        }
    }
    return EK_OK;
}
