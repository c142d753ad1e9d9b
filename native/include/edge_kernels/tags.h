/* Viterbi decoding of tag sequences: the best paths of a linear-chain CRF.
 *
 * A path's score is summed in float from left to right, ((start + e_0) + t_01) + e_1 ... + end, so that every
 * implementation gives the same bits. Scores are at most EK_MAX_SCORE in size, or minus infinity, which forbids. */
#ifndef EDGE_KERNELS_TAGS_H
#define EDGE_KERNELS_TAGS_H

#include "edge_kernels/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EK_MAX_TAGS 4096
#define EK_MAX_TOKENS (1u << 24)
#define EK_MAX_NBEST 1024
#define EK_MAX_SCORE 1e30f

/* Transitions laid out for decoding, in caller's memory of ek_tag_plan_size() bytes aligned for float; read-only once
 * built, so that threads may share it. It may be moved, but not between machines. */
typedef struct ek_tag_plan ek_tag_plan;

/* Bytes of a plan for n_tags tags; 0 if n_tags is not in 1 to EK_MAX_TAGS. */
EK_API size_t ek_tag_plan_size(size_t n_tags);

/* Builds a plan.
 *
 * transitions            n_tags rows (from) of n_tags (to)
 * start, end             n_tags scores of a first and of a last tag
 * allowed                n_tags rows (from) of n_tags (to), 0 where forbidden; NULL allows all
 * allowed_start, _end    likewise for start and end
 *
 * EK_BAD_ARGUMENT: a null pointer or n_tags out of range. EK_NOT_A_NUMBER: a score beyond the limits above. */
EK_API ek_status ek_build_tag_plan(const float *transitions, const float *start, const float *end,
                                   const uint8_t *allowed, const uint8_t *allowed_start, const uint8_t *allowed_end,
                                   size_t n_tags, ek_tag_plan *plan);

/* Bytes of scratch memory, aligned for float, for ek_viterbi(); 0 if a number is out of range. */
EK_API size_t ek_viterbi_scratch(size_t n_tokens, size_t n_tags);

/* The best tag sequence and its score; 0 for no tokens. Of equally good last tags, and of equally good predecessors
 * of a tag, the smallest wins.
 *
 * emissions  n_tokens rows of n_tags scores
 * tags       result, n_tokens
 *
 * EK_BAD_ARGUMENT, EK_NOT_A_NUMBER as above. EK_NO_PATH: the masks and minus infinities leave none. */
EK_API ek_status ek_viterbi(const ek_tag_plan *plan, const float *emissions, size_t n_tokens, void *scratch,
                            int32_t *tags, float *score);

/* Bytes of scratch memory, aligned for float, for ek_viterbi_nbest(); 0 if a number is out of range or their product
 * is too large for size_t. */
EK_API size_t ek_viterbi_nbest_scratch(size_t n_tokens, size_t n_tags, size_t n_best);

/* The n_best best tag sequences, best first.
 *
 * Of equally good ways to a tag the one with the smaller predecessor comes first, then the one that is better placed
 * among the predecessor's own; the ends of paths are ordered alike.
 *
 * n_best   1 to EK_MAX_NBEST
 * tags     result, n_best rows of n_tokens
 * scores   result, n_best
 * n_found  result: how many there are, 1 to n_best
 *
 * Errors as ek_viterbi(). */
EK_API ek_status ek_viterbi_nbest(const ek_tag_plan *plan, const float *emissions, size_t n_tokens, size_t n_best,
                                  void *scratch, int32_t *tags, float *scores, size_t *n_found);

/* Each token's best tag by itself, the smallest of equally good ones. EK_BAD_ARGUMENT, EK_NOT_A_NUMBER as above. */
EK_API ek_status ek_argmax_tags(const float *emissions, size_t n_tokens, size_t n_tags, int32_t *tags);

#ifdef __cplusplus
}
#endif
#endif
