/* Labelled spans from tag sequences, repairing what the scheme forbids, and their scores. */
#ifndef EDGE_KERNELS_SPANS_H
#define EDGE_KERNELS_SPANS_H

#include "edge_kernels/labels.h"
#include "edge_kernels/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ek_span {
    int32_t type;   /* as ek_parse_labels() numbers them */
    uint32_t first; /* first token */
    uint32_t last;  /* the token after the last */
} ek_span;

/* The spans of n_tokens tags, in order of position; there are at most n_tokens.
 *
 * B-x opens a span and S-x is one by itself. I-x or E-x continues an open span of its type x; where there is none it
 * opens one (the repair rule, as in the CoNLL evaluation). E-x closes the span after itself. A span ends before any
 * tag that does not continue it; in BIOES it then counts although its E-x is missing.
 *
 * kinds, types  of n_tags tags, from ek_parse_labels()
 * spans         result, room for n_tokens
 * n_spans       result
 *
 * EK_BAD_ARGUMENT: a null pointer, or more than UINT32_MAX tokens. EK_OUT_OF_RANGE: a tag that is not in 0 to
 * n_tags - 1, or a kind that does not exist. */
EK_API ek_status ek_tag_spans(const int32_t *tags, size_t n_tokens, const uint8_t *kinds, const int32_t *types,
                              size_t n_tags, ek_span *spans, size_t *n_spans);

/* Confidence of each span: the mean, over its tokens, of the softmax probability of the token's tag (0 in a row of only
 * minus infinities). `emissions` holds n_tokens rows of n_tags scores with the limits of tags.h.
 *
 * EK_BAD_ARGUMENT: a null pointer. EK_NOT_A_NUMBER: a score beyond the limits. EK_OUT_OF_RANGE: a tag that is not in 0
 * to n_tags - 1, or a span that is empty or not within the tokens. */
EK_API ek_status ek_span_scores(const float *emissions, const int32_t *tags, size_t n_tokens, size_t n_tags,
                                const ek_span *spans, size_t n_spans, double *scores);

#ifdef __cplusplus
}
#endif
#endif
