/* Changes to a trie while it runs: words added, given another value, or removed. The look-ups here take the trie and
 * the overlay together and answer as a trie rebuilt with the changes would.
 *
 * Meant for what a user adds by hand, up to some ten thousand words: a hash table of (node, character) -> node in
 * memory that the caller owns. Changing an overlay while another thread reads it is not safe; reading it is. */
#ifndef EDGE_KERNELS_OVERLAY_H
#define EDGE_KERNELS_OVERLAY_H

#include "edge_kernels/trie.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque; ek_overlay_init fills it. */
typedef struct ek_overlay {
    uint32_t *nodes; /* node i: parent, character and state, value */
    uint32_t *table; /* hash of (parent, character) -> node, 0 is empty */
    uint32_t n_nodes, capacity, table_mask;
    uint64_t first[4]; /* a bit for each first character of a changed word, modulo 256 */
} ek_overlay;

/* Bytes for an overlay of `capacity` nodes; a word of n characters takes at most n of them. */
EK_API size_t ek_overlay_size(uint32_t capacity);

/* An empty overlay in `memory`, ek_overlay_size(capacity) bytes aligned to 4.
 * EK_BAD_ARGUMENT: a NULL pointer, or capacity > 2^28. */
EK_API ek_status ek_overlay_init(ek_overlay *overlay, void *memory, uint32_t capacity);

/* Copies all changes of `from` into the empty overlay `to`, which is how an overlay grows. */
EK_API ek_status ek_overlay_copy(ek_overlay *to, const ek_overlay *from);

/* Adds `word`, or gives it another value; with removed != 0 removes it, whether the trie has it or not.
 * EK_TOO_SMALL: no node is free, and nothing was changed. EK_BAD_ARGUMENT: the word is empty.
 * EK_OUT_OF_RANGE: a code point above 0x10FFFF. */
EK_API ek_status ek_overlay_put(ek_overlay *overlay, ek_ucs word, uint32_t value, int removed);

/* The change made to node `index` (1 .. overlay->n_nodes): *length is 0 if no word was added or removed there, else
 * the word is written to the END of `word`, its last character at word[capacity - 1].
 * EK_TOO_SMALL: the word has more than `capacity` characters. */
EK_API ek_status ek_overlay_change(const ek_overlay *overlay, uint32_t index, uint32_t *word, size_t capacity,
                                   size_t *length, uint32_t *value, int *removed);

/* As ek_trie_get, ek_trie_longest and ek_trie_matches. A position has at most as many matches as the longest word of
 * trie and overlay has characters. */
EK_API ek_status ek_overlay_get(const ek_trie *trie, const ek_overlay *overlay, ek_ucs word, uint32_t *value,
                                int *found);
EK_API ek_status ek_overlay_longest(const ek_trie *trie, const ek_overlay *overlay, ek_ucs text, size_t start,
                                    size_t *end, uint32_t *value);
EK_API ek_status ek_overlay_matches(const ek_trie *trie, const ek_overlay *overlay, ek_ucs text, size_t *position,
                                    ek_matches *matches);

#ifdef __cplusplus
}
#endif
#endif
