/* Walking a stored trie symbol by symbol; shared by all that read one. The format is in edge_kernels/trie.h. */
#ifndef EK_TRIE_NODE_H
#define EK_TRIE_NODE_H

#include "bytes.h"
#include "edge_kernels/trie.h"

enum {
    EK_CODE = 0x3FFF,    /* the code in a check */
    EK_MOVED = 0x4000,   /* displaced by one slot */
    EK_LEAF = 0x8000,    /* in a check: a leaf; in a tail: the last symbol */
    EK_UNKNOWN = 0x3FFF, /* code of a character that is in no word */
    EK_RARE = 0x3FFE,    /* stands for a character that is stored as three symbols; as a check: an empty slot */
    EK_PAGE = 256,
    EK_HEADER = 64
};
#define EK_TRIE_MAGIC "EKTRIE01"
#define EK_WORD_HERE 0x80000000u /* in an inner node's value: a word ends here */
#define EK_NO_SLOT 0xFFFFFFFFu
#define EK_RARE_SYMBOLS (68 + 128 + 128) /* 0x110000 = 68 * 2^14 */

/* Where a walk stands. INNER: at a node with children at `base`. TAIL: before symbol `tail` of the only word left.
 * END: at the end of that word. */
typedef struct ek_node {
    enum { EK_AT_INNER, EK_IN_TAIL, EK_AT_END } state;
    uint32_t base, value, tail;
} ek_node;

static inline ek_node ek_root(const ek_trie *trie) {
    ek_node node = {EK_AT_INNER, trie->root, 0, 0};
    return node;
}

static inline uint32_t ek_code_of(const ek_trie *trie, uint32_t code_point) {
    uint32_t page = code_point / EK_PAGE;
    if (page >= trie->n_page_index) return EK_UNKNOWN;
    return ek_load16(trie->pages, (size_t)ek_load16(trie->page_index, page) * EK_PAGE + code_point % EK_PAGE);
}

static inline uint32_t ek_child(const ek_trie *trie, uint32_t base, uint32_t code) {
    uint32_t slot = base + code; /* base < 2^31 */
    if (slot + 1 >= trie->n_slots) return EK_NO_SLOT;
    if ((ek_load16(trie->checks, slot) & (EK_CODE | EK_MOVED)) == code) return slot;
    if ((ek_load16(trie->checks, slot + 1) & (EK_CODE | EK_MOVED)) == (code | EK_MOVED)) return slot + 1;
    return EK_NO_SLOT;
}

/* The index of the first tail symbol of a leaf, or n_tails if it has no tail. */
static inline uint32_t ek_tail_of(const ek_trie *trie, uint32_t slot) {
    uint32_t bits = ek_load32(trie->tails_of, 2 * (size_t)(slot / 32) + 1);
    if (!(bits >> slot % 32 & 1)) return trie->n_tails;
    uint32_t tail = ek_load32(trie->tails_of, 2 * (size_t)(slot / 32));
    for (bits &= (1u << slot % 32) - 1; bits != 0; bits &= bits - 1) { /* skip the tails of the slots before */
        while (tail < trie->n_tails && !(ek_load16(trie->tails, tail) & EK_LEAF)) tail++;
        tail++;
    }
    return tail < trie->n_tails ? tail : trie->n_tails - 1; /* damaged: any answer inside the block will do */
}

/* Makes `node` the node that `slot` holds. */
static inline void ek_enter(const ek_trie *trie, ek_node *node, uint32_t slot) {
    node->value = ek_load32(trie->values, slot);
    if (!(ek_load16(trie->checks, slot) & EK_LEAF)) {
        node->base = node->value & ~EK_WORD_HERE;
        return;
    }
    node->tail = ek_tail_of(trie, slot);
    node->state = node->tail < trie->n_tails ? EK_IN_TAIL : EK_AT_END;
}

static inline int ek_step(const ek_trie *trie, ek_node *node, uint32_t symbol) {
    if (node->state == EK_AT_INNER) {
        uint32_t slot = ek_child(trie, node->base, symbol);
        if (slot == EK_NO_SLOT) return 0;
        ek_enter(trie, node, slot);
        return 1;
    }
    if (node->state == EK_AT_END || node->tail >= trie->n_tails) return 0;
    uint32_t tail = ek_load16(trie->tails, node->tail++);
    if ((tail & EK_CODE) != symbol) return 0;
    if (tail & EK_LEAF) node->state = EK_AT_END;
    return 1;
}

/* Moves on by one character; 0 if no word goes on so. */
static inline int ek_step_char(const ek_trie *trie, ek_node *node, uint32_t code_point) {
    uint32_t code = ek_code_of(trie, code_point);
    if (code != EK_RARE) return ek_step(trie, node, code);
    uint32_t first = trie->n_codes + 1;
    return ek_step(trie, node, first + (code_point >> 14)) &&
           ek_step(trie, node, first + 68 + (code_point >> 7 & 127)) &&
           ek_step(trie, node, first + 196 + (code_point & 127));
}

/* Whether a word ends where the walk stands, and its value. */
static inline int ek_word_here(const ek_trie *trie, const ek_node *node, uint32_t *value) {
    if (node->state == EK_AT_END) {
        *value = node->value;
        return 1;
    }
    if (node->state == EK_IN_TAIL || !(node->value & EK_WORD_HERE)) return 0;
    uint32_t slot = ek_child(trie, node->base, 0);
    if (slot == EK_NO_SLOT) return 0;
    *value = ek_load32(trie->values, slot);
    return 1;
}

static inline uint32_t ek_at(const void *data, uint32_t width, size_t i) {
    return width == 1   ? ((const uint8_t *)data)[i]
           : width == 2 ? ((const uint16_t *)data)[i]
                        : ((const uint32_t *)data)[i];
}

static inline int ek_ucs_valid(ek_ucs text) {
    return (text.width == 1 || text.width == 2 || text.width == 4) && (text.data != NULL || text.length == 0);
}

static inline int ek_matches_valid(const ek_matches *m) {
    return m != NULL && m->count <= m->capacity && (m->capacity == 0 || (m->starts && m->ends && m->values));
}

/* Appends a match; 0 if there is no room. */
static inline int ek_add_match(ek_matches *matches, size_t start, size_t end, uint32_t value) {
    size_t i = matches->count;
    if (i == matches->capacity) return 0;
    matches->starts[i] = (int32_t)start;
    matches->ends[i] = (int32_t)end;
    matches->values[i] = value;
    matches->count = i + 1;
    return 1;
}

#endif
