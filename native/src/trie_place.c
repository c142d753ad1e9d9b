/* First fit, nodes with many children first: they need the empty space, and the small ones fill the holes. 64 bases
 * are tried at once, with one bit each. */
#include "trie_place.h"

#define MOST_CHILDREN (EK_TRIE_DIRECT + EK_RARE_SYMBOLS + 1)
#define ALL_BITS 0xFFFFFFFFFFFFFFFFu

typedef struct slots {
    uint64_t *taken; /* bit s: slot s holds a child */
    uint64_t *full;  /* bit s: so do s and s + 1, so that no child can go there */
    uint64_t *bases; /* bit b: b is the base of a node; two nodes with one base could not be told apart */
    uint32_t blocks;  /* of 64 slots, that there is memory for */
    uint32_t cleared; /* blocks in use so far */
} slots;

/* Makes the blocks up to the one of slot `last` usable; 0 if there is no memory for them. */
static int reach(slots *s, uint64_t last) {
    if (last / 64 >= s->blocks) return 0;
    for (; s->cleared <= last / 64; s->cleared++)
        s->taken[s->cleared] = s->full[s->cleared] = s->bases[s->cleared] = 0;
    return 1;
}

static uint64_t bits_from(const uint64_t *set, uint32_t position) {
    uint32_t block = position / 64, shift = position % 64;
    return shift == 0 ? set[block] : set[block] >> shift | set[block + 1] << (64 - shift);
}

static int has(const uint64_t *set, uint32_t i) { return (int)(set[i / 64] >> i % 64 & 1); }
static void add(uint64_t *set, uint32_t i) { set[i / 64] |= (uint64_t)1 << i % 64; }

/* Tries to give the children slots under this base; in the order of their symbols each takes the first free one,
 * which is optimal because every child has the same number of choices. */
static int fits(const slots *s, ek_edges *e, uint32_t node, uint32_t base) {
    uint32_t next = 0;
    for (uint32_t i = e->first[node]; i < e->first[node + 1]; i++) {
        uint32_t slot = base + e->symbol[i];
        uint32_t moved = slot < next || has(s->taken, slot);
        slot += moved;
        if (moved && (slot < next || has(s->taken, slot))) return 0;
        e->slot[i] = slot;
        e->moved[i] = (uint8_t)moved;
        next = slot + 1;
    }
    return 1;
}

/* The lowest base in block `block` or after it that fits; EK_NO_SLOT if the slots end before. */
static uint32_t find_base(slots *s, ek_edges *e, uint32_t node, uint32_t block) {
    uint32_t begin = e->first[node], end = e->first[node + 1];
    for (; reach(s, (uint64_t)block * 64 + e->symbol[end - 1] + 128); block++) {
        uint64_t bad = s->bases[block];
        for (uint32_t i = begin; i < end && bad != ALL_BITS; i++) bad |= bits_from(s->full, block * 64 + e->symbol[i]);
        for (uint32_t bit = 0; bad != ALL_BITS && bit < 64; bit++) {
            if (bad >> bit & 1) continue;
            if (fits(s, e, node, block * 64 + bit)) return block * 64 + bit;
        }
    }
    return EK_NO_SLOT;
}

static void occupy(slots *s, const ek_edges *e, uint32_t node, uint32_t base) {
    add(s->bases, base);
    for (uint32_t i = e->first[node]; i < e->first[node + 1]; i++) add(s->taken, e->slot[i]);
    for (uint32_t i = e->first[node]; i < e->first[node + 1]; i++) {
        uint32_t slot = e->slot[i];
        if (has(s->taken, slot + 1)) add(s->full, slot);
        if (slot > 0 && has(s->taken, slot - 1)) add(s->full, slot - 1);
    }
}

size_t ek_place_nodes(ek_edges *e, void *scratch, size_t scratch_size) {
    size_t heads = (MOST_CHILDREN + 2) * sizeof(uint32_t), order_size = (size_t)e->n_nodes * sizeof(uint32_t);
    size_t fixed = (heads + order_size + 7) & ~(size_t)7;
    if (scratch_size < fixed + 3 * 8 * 1024) return 0;
    uint32_t *head = scratch, *order = head + MOST_CHILDREN + 2;
    slots s;
    size_t blocks = (scratch_size - fixed) / (3 * sizeof *s.taken);
    s.blocks = blocks < EK_WORD_HERE / 64 ? (uint32_t)blocks : EK_WORD_HERE / 64;
    s.taken = (uint64_t *)(void *)((uint8_t *)scratch + fixed);
    s.full = s.taken + s.blocks;
    s.bases = s.full + s.blocks;
    s.cleared = 0;

    /* counting sort by number of children, the most first */
    memset(head, 0, heads);
    for (uint32_t node = 0; node < e->n_nodes; node++) head[MOST_CHILDREN - (e->first[node + 1] - e->first[node]) + 1]++;
    for (uint32_t i = 1; i <= MOST_CHILDREN + 1; i++) head[i] += head[i - 1];
    for (uint32_t node = 0; node < e->n_nodes; node++)
        order[head[MOST_CHILDREN - (e->first[node + 1] - e->first[node])]++] = node;

    uint32_t block = 0, children = 0, last = 0;
    for (uint32_t i = 0; i < e->n_nodes; i++) {
        uint32_t node = order[i], n = e->first[node + 1] - e->first[node];
        if (n == 0) { /* the root of an empty trie */
            e->base[node] = 0;
            continue;
        }
        if (n != children) block = 0;
        children = n;
        uint32_t base = find_base(&s, e, node, block);
        if (base == EK_NO_SLOT) return 0;
        occupy(&s, e, node, base);
        e->base[node] = base;
        block = base / 64;
        if (e->slot[e->first[node + 1] - 1] > last) last = e->slot[e->first[node + 1] - 1];
    }
    e->n_slots = e->n_edges == 0 ? 0 : last + 2; /* a look-up reads a slot and the one after it */
    return scratch_size;
}
