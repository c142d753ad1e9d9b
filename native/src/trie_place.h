/* Placing the nodes of a trie in one array of slots. */
#ifndef EK_TRIE_PLACE_H
#define EK_TRIE_PLACE_H

#include "trie_node.h"

/* Node i has edges first[i] .. first[i + 1], by symbol; node 0 is the root. An edge leads to node target[edge], or
 * to a leaf if target[edge] >= n_nodes. */
typedef struct ek_edges {
    uint32_t n_nodes, n_edges, n_slots;
    uint32_t *first, *target, *depth;
    uint16_t *symbol;
    /* found by ek_place_nodes */
    uint32_t *base, *slot;
    uint8_t *moved;
} ek_edges;

/* Gives every node a base of its own and every edge the slot base + symbol or the one after it, and sets n_slots.
 * Returns the bytes of scratch memory used, 0 if they do not suffice. */
size_t ek_place_nodes(ek_edges *edges, void *scratch, size_t scratch_size);

#endif
