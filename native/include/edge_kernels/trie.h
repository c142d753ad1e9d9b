/* A static trie over code points: built once, stored as one block of bytes, read in place.
 *
 * Format (little-endian, version 1). Characters of the words get codes 1, 2, ... in code point order; a node's child
 * for code c lies in slot base + c or, displaced, base + c + 1, which lets sparse nodes interleave: 94-97% of the
 * slots are in use. A branch that leads to one word only ends in a leaf; the rest of that word is its tail.
 *
 *   header (64 bytes)        magic "EKTRIE01"; XXH64 of all bytes after it; u32 version, value kind; u64 size;
 *                            u32 words, slots, tail symbols, codes, page index, pages, longest word, root base
 *   u32 values[slots]        leaf: the word's value; inner node: base, and bit 31 if a word ends here
 *   u32 tails_of[slots/32,2] for each 32 slots: where their tails begin, and a bit for each slot that has one
 *   u32 code_points[codes]   code - 1 -> code point
 *   u16 checks[slots]        bits 0-13 code, bit 14 displaced, bit 15 leaf
 *   u16 tails[...]           codes; bit 15 marks the last of a tail
 *   u16 page_index[...]      code point >> 8 -> page
 *   u16 pages[...][256]      code point & 255 -> code
 *
 * Code 0 marks the end of a word at an inner node. Where words have more than EK_TRIE_DIRECT different characters,
 * those with higher code points are stored as three symbols of 7 bits.
 *
 * A walk never reads outside the block, whatever its bytes are: every index is checked against the sizes that
 * ek_trie_open checked. Reading is safe from several threads. */
#ifndef EDGE_KERNELS_TRIE_H
#define EDGE_KERNELS_TRIE_H

#include "edge_kernels/ucs.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EK_TRIE_DIRECT 16000u

/* What the 32 bits stored with a word are; the trie itself only carries them. */
typedef enum ek_trie_value { EK_TRIE_INT32 = 0, EK_TRIE_FLOAT32 = 1 } ek_trie_value;

/* A view of a stored trie; owns nothing. Fill it by ek_trie_open and treat it as opaque. */
typedef struct ek_trie {
    const uint8_t *values, *tails_of, *code_points, *checks, *tails, *page_index, *pages;
    uint32_t n_words, n_slots, n_tails, n_codes, n_page_index, n_pages, max_length, root, value_kind;
} ek_trie;

/* Where matches go: three arrays of `capacity` values, `count` of them filled. */
typedef struct ek_matches {
    int32_t *starts, *ends; /* text[start, end) is the word */
    uint32_t *values;
    size_t capacity, count;
} ek_matches;

#define EK_TRIE_SKIP_CHECKSUM 1u /* for data verified already, such as a bundle's: opening then takes O(1) */

/* Opens a stored trie in place. `data` needs no alignment and must stay unchanged while `trie` is used.
 * EK_CORRUPT: not a trie, cut short, or damaged. EK_UNSUPPORTED: a version that this library does not read. */
EK_API ek_status ek_trie_open(ek_trie *trie, const void *data, size_t size, uint32_t flags);

/* Exact look-up. *found is 1 and *value set if `word` is stored, else *found is 0. */
EK_API ek_status ek_trie_get(const ek_trie *trie, ek_ucs word, uint32_t *value, int *found);

/* The longest word that begins at `start`: *end is its end, or `start` if there is none.
 * EK_OUT_OF_RANGE: start > text.length. */
EK_API ek_status ek_trie_longest(const ek_trie *trie, ek_ucs text, size_t start, size_t *end, uint32_t *value);

/* All words at all positions from *position on, by start, then by end. Appends to `matches` and moves *position on
 * to the first start that was not finished: text.length when all is done, less when `matches` is full; empty it and
 * call again. Time: at each position the length of the longest prefix of a word found there.
 * EK_TOO_SMALL: `matches` has room for fewer matches than *position alone has; trie->max_length always suffices.
 * EK_OUT_OF_RANGE: *position > text.length, or text.length > INT32_MAX. */
EK_API ek_status ek_trie_matches(const ek_trie *trie, ek_ucs text, size_t *position, ek_matches *matches);

/* Enumeration of the words that begin with a prefix, in code point order. Opaque; ek_trie_walk_begin fills it. */
typedef struct ek_trie_walk {
    const ek_trie *trie;
    uint32_t *path; /* caller's: for each symbol below the prefix, the node's base and the slot visited last */
    uint32_t *word; /* caller's: the word under construction */
    size_t prefix, depth;
    uint32_t visited, state, base, value, tail;
} ek_trie_walk;

/* Begins an enumeration. `path` holds 2 * (3 * trie->max_length + 1) values, `word` prefix.length +
 * trie->max_length + 3; both belong to the caller and stay in use until the walk is done. */
EK_API ek_status ek_trie_walk_begin(ek_trie_walk *walk, const ek_trie *trie, ek_ucs prefix, uint32_t *path,
                                    uint32_t *word);

/* The next word: walk->word[0, *length) and *value; *found is 0 after the last.
 * EK_CORRUPT: the trie has a cycle (only possible where the checksum was skipped). */
EK_API ek_status ek_trie_walk_next(ek_trie_walk *walk, size_t *length, uint32_t *value, int *found);

/* Words to build a trie from: word i is text[ends[i - 1], ends[i]) (from 0 for the first), its value values[i]. */
typedef struct ek_trie_words {
    const uint32_t *text; /* code points of all words */
    const size_t *ends;
    const uint32_t *values;
    size_t count;
    ek_trie_value value_kind;
} ek_trie_words;

/* Bytes of scratch memory and of output that building `count` words of `length` code points together takes. Both are
 * generous (untouched pages cost nothing where memory is mapped on demand); words of a very uneven make can need
 * more, then ek_trie_build says EK_TOO_SMALL: double both and call again. */
EK_API void ek_trie_build_sizes(size_t count, size_t length, size_t *scratch, size_t *output);

/* Builds a trie into `output`; *size is the bytes used. Words come in any order; of equal words the last one counts.
 * The same words and values give the same bytes, whatever their order. `scratch` must be aligned to 8 bytes.
 * EK_BAD_ARGUMENT: a NULL pointer, an empty word, ends that fall, or more than 2^31 - 1 symbols.
 * EK_OUT_OF_RANGE: a code point above 0x10FFFF. EK_TOO_SMALL: see ek_trie_build_sizes. */
EK_API ek_status ek_trie_build(const ek_trie_words *words, void *scratch, size_t scratch_size, void *output,
                               size_t capacity, size_t *size);

#ifdef __cplusplus
}
#endif
#endif
