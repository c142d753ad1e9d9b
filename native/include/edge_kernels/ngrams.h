/* Hashed character n-grams and runs of words of a phrase, what a model without a vocabulary reads of it. */
#ifndef EDGE_KERNELS_NGRAMS_H
#define EDGE_KERNELS_NGRAMS_H

#include "edge_kernels/ucs.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EK_MAX_PHRASE_NGRAM 16
#define EK_MAX_PHRASE_WORDS 8
#define EK_MAX_PHRASE_BUCKETS (1u << 24)

typedef struct ek_phrase_scheme {
    uint32_t ngram_min;     /* 1 to ngram_max, in code points */
    uint32_t ngram_max;     /* ngram_min to EK_MAX_PHRASE_NGRAM */
    uint32_t word_max;      /* 0 to EK_MAX_PHRASE_WORDS */
    uint32_t ngram_buckets; /* 1 to EK_MAX_PHRASE_BUCKETS */
    uint32_t word_buckets;  /* 1 to EK_MAX_PHRASE_BUCKETS */
} ek_phrase_scheme;

/* At most this many numbers for a phrase of `length` code points. */
EK_API size_t ek_phrase_ngrams_capacity(const ek_phrase_scheme *scheme, size_t length);

/* The numbers of a phrase's features.
 *
 * Words are what stands between spaces (U+0020); a phrase without any has no features. First come, for n from ngram_min
 * to ngram_max, all windows of n code points of the phrase with a space before it and U+0003 after it (group n); then,
 * for k from 1 to word_max, all runs of k neighbouring words with the spaces around and between them (group 64 + k);
 * last, unless word_max is 0, the last word once more with a space on either side (group 64).
 * A feature's hash is 32-bit FNV-1a over its group and then its code points, each taken as one unit, then the
 * finaliser of MurmurHash3; its number is 1 + (hash * ngram_buckets >> 32) for a window, and 1 + ngram_buckets +
 * (hash * word_buckets >> 32) for words.
 *
 * numbers  result, room for `capacity`
 * count    result, how many
 *
 * EK_BAD_ARGUMENT: a null pointer or a scheme out of range. EK_TOO_SMALL: capacity. */
EK_API ek_status ek_phrase_ngrams(const ek_phrase_scheme *scheme, ek_ucs text, int32_t *numbers, size_t capacity,
                                  size_t *count);

#ifdef __cplusplus
}
#endif
#endif
