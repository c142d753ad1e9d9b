/* Tag names of the BIO and BIOES schemes. */
#ifndef EDGE_KERNELS_LABELS_H
#define EDGE_KERNELS_LABELS_H

#include "edge_kernels/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { EK_OUTSIDE = 0, EK_BEGIN = 1, EK_INSIDE = 2, EK_END = 3, EK_SINGLE = 4 };

/* Parses n tag names, "O" or "B-x", "I-x", "E-x", "S-x" with a type x of at least one byte.
 *
 * kinds  result, n of the numbers above
 * types  result, n type numbers: 0, 1, ... in the order of first appearance, -1 for O
 *
 * EK_BAD_ARGUMENT: a null pointer, or a name that is none of these. Takes O(n * number of types). */
EK_API ek_status ek_parse_labels(const ek_text *names, size_t n, uint8_t *kinds, int32_t *types);

/* Which of n tags may follow each other (allowed[from * n + to]), come first and come last; 1 where allowed.
 *
 * BIO: I-x follows only B-x or I-x. BIOES (some kind is EK_END or EK_SINGLE): after B-x or I-x comes only I-x or E-x,
 * these come only there, I-x and E-x do not come first, B-x and I-x not last.
 *
 * EK_BAD_ARGUMENT: a null pointer. */
EK_API ek_status ek_bio_masks(const uint8_t *kinds, const int32_t *types, size_t n, uint8_t *allowed, uint8_t *first,
                              uint8_t *last);

#ifdef __cplusplus
}
#endif
#endif
