/* MinHash fingerprints and counting Bloom features of tokens (pNLP-Mixer, section 3.1). */
#ifndef EDGE_KERNELS_FINGERPRINT_H
#define EDGE_KERNELS_FINGERPRINT_H

#include "edge_kernels/hash.h"
#include "edge_kernels/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EK_MAX_NGRAM 16
#define EK_MAX_HASHES 65536
#define EK_MAX_FEATURES (1u << 24)

typedef struct ek_hash_scheme {
    uint64_t seed;       /* of the string hash */
    uint32_t n_hashes;   /* 1 to EK_MAX_HASHES */
    uint32_t ngram_min;  /* 1 to ngram_max, in code points */
    uint32_t ngram_max;  /* ngram_min to EK_MAX_NGRAM */
    uint32_t boundaries; /* not 0: wrap a unit in U+0002 and U+0003 before its n-grams are taken */
} ek_hash_scheme;

/* Fingerprints of n_tokens tokens.
 *
 * Token t consists of the subword units units[ends[t - 1]] (0 for the first token) to units[ends[t] - 1], in UTF-8.
 * A unit that begins with "##" and is not the first of its token is a continuation and hashed whole, any other as
 * its n-grams; a unit shorter than ngram_min is its own n-gram; empty units give nothing. Value i is the minimum of
 * mix i over a token's strings; all values of a token without strings are UINT32_MAX. Bytes that are no valid UTF-8
 * are hashed all the same: a code point is a byte and up to three following bytes of the form 10xxxxxx.
 *
 * constants     2 * n_hashes values of ek_hash_constants(scheme->seed, scheme->n_hashes)
 * fingerprints  result, n_tokens rows of n_hashes values
 *
 * EK_BAD_ARGUMENT: a null pointer, a scheme out of range, or ends that fall or pass n_units. */
EK_API ek_status ek_fingerprints(const ek_hash_scheme *scheme, const uint32_t *constants, const ek_text *units,
                                 size_t n_units, const size_t *ends, size_t n_tokens, uint32_t *fingerprints);

/* Counting Bloom features: features[t][f] is how many values of row t are f modulo n_features, 255 if more. A row of
 * only UINT32_MAX, a token without strings, gives zeros.
 *
 * EK_BAD_ARGUMENT: a null pointer, n_hashes 0, or n_features not in 1 to EK_MAX_FEATURES. */
EK_API ek_status ek_bloom_counts(const uint32_t *fingerprints, size_t n_tokens, size_t n_hashes, size_t n_features,
                                 uint8_t *features);

/* ek_fingerprints and ek_bloom_counts a token at a time; `scratch` holds n_hashes values. */
EK_API ek_status ek_project(const ek_hash_scheme *scheme, const uint32_t *constants, const ek_text *units,
                            size_t n_units, const size_t *ends, size_t n_tokens, size_t n_features, uint32_t *scratch,
                            uint8_t *features);

#ifdef __cplusplus
}
#endif
#endif
