/* Segmentation of a text of `length` characters: the best way through a lattice of candidate words, and the decoding
 * modes of CWSeg (Algorithm 1) built on it. A word is an edge from position start to position end > start. */
#ifndef EDGE_KERNELS_LATTICE_H
#define EDGE_KERNELS_LATTICE_H

#include "edge_kernels/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `count` words, word i is [starts[i], ends[i]). */
typedef struct ek_words {
    const int32_t *starts, *ends;
    size_t count;
} ek_words;

/* Bytes of scratch memory, aligned to 8, for ek_lattice_best. */
EK_API size_t ek_lattice_best_size(size_t length, size_t count);

/* The path from 0 to `length` with the largest sum of scores. Sums are made in double precision from the end of the
 * text; of equal sums the path with fewer words wins, then the one whose first differing word is longer, then the
 * smaller index of that word. Where a sum has to be rounded, the rest of the text is decided before the word in front
 * of it. A word scored -infinity is never taken. Linear in length + count.
 *
 * `path` receives *path_length indices into `words` (at most `length`), *score the sum.
 * EK_OUT_OF_RANGE: word *path_length does not lie within the text, or is empty. EK_NOT_A_NUMBER: its score is NaN or
 * +infinity. EK_NO_PATH: *path_length is the furthest position that words reach from 0. EK_TOO_SMALL: scratch. */
EK_API ek_status ek_lattice_best(size_t length, ek_words words, const float *scores, void *scratch,
                                 size_t scratch_size, int32_t *path, size_t *path_length, double *score);

/* ExtractBorders: borders[i] = 1 if a word starts or ends at i, else 0; length + 1 values.
 * EK_OUT_OF_RANGE: a word does not lie within the text, or is empty. */
EK_API ek_status ek_lattice_borders(size_t length, ek_words words, uint8_t *borders);

/* CutBorders: keep[i] = 1 if word i has no border strictly inside, else 0. LinkBorders: if both its ends are borders. */
EK_API ek_status ek_lattice_cut(size_t length, ek_words words, const uint8_t *borders, uint8_t *keep);
EK_API ek_status ek_lattice_link(size_t length, ek_words words, const uint8_t *borders, uint8_t *keep);

typedef enum ek_mode { EK_NORMAL = 0, EK_FINE = 1, EK_COARSE = 2, EK_INDEX = 3 } ek_mode;

/* Bytes of scratch memory, aligned to 8, for ek_segment. */
EK_API size_t ek_segment_size(size_t length, size_t n_words, size_t n_matches);

/* Words of a text at the granularity asked for, from the words that a model found (they tile the text) and the
 * lexicon's matches (by start, then by end, as ek_trie_matches gives them).
 *
 *   normal  the model's words
 *   fine    words and matches that cross no border of the model's; the path with the most words of two or more
 *           characters (single characters do not count, so that no word is split for their sake)
 *   coarse  words and matches whose ends are borders of the model's; the path with the fewest words
 *   index   the words of all three and all matches, each once, by start, then by end
 *
 * Ties as in ek_lattice_best. Fine never has fewer words than normal, coarse never more.
 * Writes *count words (at most ek_segment_most) to starts and ends.
 * EK_BAD_ARGUMENT: the words do not tile the text, or the matches are not in order. EK_OUT_OF_RANGE: a match does not
 * lie within the text, or is empty. EK_TOO_SMALL: scratch. */
EK_API ek_status ek_segment(ek_mode mode, size_t length, ek_words words, ek_words matches, void *scratch,
                            size_t scratch_size, int32_t *starts, int32_t *ends, size_t *count);

/* How many words ek_segment gives at most: `length`, for index n_matches + 3 * length. */
EK_API size_t ek_segment_most(ek_mode mode, size_t length, size_t n_matches);

#ifdef __cplusplus
}
#endif
#endif
