/* What a character tagger sees of a text: a number for each character, a hash of it and the one before, and what a
 * lexicon says about it. */
#ifndef EDGE_KERNELS_CHARACTERS_H
#define EDGE_KERNELS_CHARACTERS_H

#include "edge_kernels/lattice.h"
#include "edge_kernels/ucs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A table of identities has one entry a code point of the basic plane, then one for all others. */
#define EK_IDENTITY_TABLE 65537u

/* Identities below EK_FIRST_KNOWN are classes of characters, the digit, and the letters a to z. */
enum { EK_EDGE = 0, EK_MARK = 1, EK_HAN = 2, EK_LETTER = 3, EK_DIGIT = 4, EK_SYMBOL = 5, EK_OTHER = 6,
       EK_FIRST_LETTER = 7, EK_FIRST_KNOWN = 33 };

/* identities[i] = table[character i]. */
EK_API ek_status ek_identities(ek_ucs text, const uint16_t *table, int32_t *identities);

/* bigrams[i] = the high bits of identities[i] * 0x9E3779B1 + identities[i - 1] * 0x85EBCA77 mod 2^32, in
 * [0, buckets): multiply-shift. EK_EDGE stands before the first. `buckets` is a power of two from 2 to 2^24. */
EK_API ek_status ek_bigrams(const int32_t *identities, size_t length, uint32_t buckets, int32_t *bigrams);

/* inside[i] = 1 if character i never begins a word: a letter after a letter, a digit after a digit, a mark that does
 * not follow an edge; else 0. *count is how many. */
EK_API ek_status ek_inside_words(const int32_t *identities, size_t length, uint8_t *inside, size_t *count);

/* features[i] in [0, 100) = (begins * 4 + inside) * 5 + ends, where begins, inside and ends come from the longest
 * word that begins at i, has i strictly inside, or ends with i: 0 for none, else its length, at most 5, less 1, less
 * 2 and less 1. Words of one character say nothing. EK_OUT_OF_RANGE: a word does not lie within the text. */
EK_API ek_status ek_lexicon_features(size_t length, ek_words words, int32_t *features);

#ifdef __cplusplus
}
#endif
#endif
