#include "trie_node.h"

enum { PENDING, INSIDE, DONE }; /* walk->state: the prefix itself may be a word; within the tree; nothing left */

ek_status ek_trie_walk_begin(ek_trie_walk *walk, const ek_trie *trie, ek_ucs prefix, uint32_t *path, uint32_t *word) {
    if (walk == NULL || trie == NULL || path == NULL || word == NULL || !ek_ucs_valid(prefix)) return EK_BAD_ARGUMENT;
    ek_node node = ek_root(trie);
    memset(walk, 0, sizeof *walk);
    walk->trie = trie;
    walk->path = path;
    walk->word = word;
    walk->prefix = prefix.length;
    walk->state = DONE;
    for (size_t i = 0; i < prefix.length; i++) {
        word[i] = ek_at(prefix.data, prefix.width, i);
        if (!ek_step_char(trie, &node, word[i])) return EK_OK;
    }
    walk->state = PENDING;
    walk->base = node.base;
    walk->value = node.value;
    /* a leaf is remembered by its tail: what is left of it, or nothing */
    walk->tail = node.state == EK_AT_INNER ? EK_NO_SLOT : node.state == EK_IN_TAIL ? node.tail : trie->n_tails;
    return EK_OK;
}

/* Spells the symbols on the path and then the tail from `tail` on; returns the length of the word. */
static size_t spell(const ek_trie_walk *walk, uint32_t tail) {
    const ek_trie *trie = walk->trie;
    size_t length = walk->prefix, most = walk->prefix + trie->max_length;
    uint32_t rare = 0;
    for (size_t i = 0;; i++) {
        uint32_t symbol;
        if (i < walk->depth) {
            symbol = ek_load16(trie->checks, walk->path[2 * i + 1]) & EK_CODE;
        } else if (tail < trie->n_tails) {
            symbol = ek_load16(trie->tails, tail);
            tail = symbol & EK_LEAF ? trie->n_tails : tail + 1;
            symbol &= EK_CODE;
        } else {
            return length;
        }
        if (symbol == 0 || length >= most) return length;
        uint32_t first = trie->n_codes + 1;
        if (symbol < first) {
            uint32_t code_point = ek_load32(trie->code_points, symbol - 1);
            walk->word[length++] = code_point < EK_CODE_POINTS ? code_point : 0xFFFD; /* damaged */
        } else if (symbol < first + 68) {
            rare = (symbol - first) << 14;
        } else if (symbol < first + 196) {
            rare |= (symbol - first - 68) << 7;
        } else {
            walk->word[length++] = rare | ((symbol - first - 196) & 127);
        }
    }
}

/* The first slot after `slot` (from the base on for EK_NO_SLOT) that holds a child of `base`. */
static uint32_t next_child(const ek_trie *trie, uint32_t base, uint32_t slot) {
    uint64_t stop = (uint64_t)base + trie->n_codes + 1 + EK_RARE_SYMBOLS + 1;
    if (stop > trie->n_slots) stop = trie->n_slots;
    for (slot = slot == EK_NO_SLOT ? base : slot + 1; slot < stop; slot++) {
        uint32_t check = ek_load16(trie->checks, slot);
        if (base + (check & EK_CODE) + (check / EK_MOVED & 1) == slot) return slot;
    }
    return EK_NO_SLOT;
}

ek_status ek_trie_walk_next(ek_trie_walk *walk, size_t *length, uint32_t *value, int *found) {
    if (walk == NULL || length == NULL || value == NULL || found == NULL) return EK_BAD_ARGUMENT;
    const ek_trie *trie = walk->trie;
    size_t room = 3 * (size_t)trie->max_length + 1;
    *found = 0;
    if (walk->state == PENDING) {
        if (walk->tail != EK_NO_SLOT) { /* the prefix leads into a leaf: one word, then no more */
            walk->state = DONE;
            *length = spell(walk, walk->tail);
            *value = walk->value;
            *found = 1;
            return EK_OK;
        }
        walk->state = INSIDE;
        walk->path[0] = walk->base;
        walk->path[1] = EK_NO_SLOT;
        walk->depth = 1;
    }
    while (walk->state == INSIDE) {
        uint32_t *top = walk->path + 2 * (walk->depth - 1);
        top[1] = next_child(trie, top[0], top[1]);
        if (top[1] == EK_NO_SLOT) {
            if (--walk->depth == 0) walk->state = DONE;
            continue;
        }
        if (++walk->visited > trie->n_slots) return EK_CORRUPT;
        ek_node node = ek_root(trie);
        ek_enter(trie, &node, top[1]);
        if (node.state == EK_AT_INNER) {
            if (walk->depth >= room) return EK_CORRUPT;
            top[2] = node.base;
            top[3] = EK_NO_SLOT;
            walk->depth++;
            continue;
        }
        *length = spell(walk, node.tail);
        *value = node.value;
        *found = 1;
        return EK_OK;
    }
    return EK_OK;
}
