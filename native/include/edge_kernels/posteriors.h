/* Posterior probabilities of tags under a linear-chain CRF, by the forward-backward algorithm: how sure the model is of
 * each tag of a path, whatever the other tags are. Results are good to 1e-5; tags.h states the limits of scores. */
#ifndef EDGE_KERNELS_POSTERIORS_H
#define EDGE_KERNELS_POSTERIORS_H

#include "edge_kernels/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Transitions laid out for summing, in caller's memory of ek_tag_weights_size() bytes aligned for double; read-only
 * once built, so that threads may share it. */
typedef struct ek_tag_weights ek_tag_weights;

/* Bytes of the weights of n_tags tags; 0 if n_tags is not in 1 to EK_MAX_TAGS. */
EK_API size_t ek_tag_weights_size(size_t n_tags);

/* Builds the weights. Arguments and errors as ek_build_tag_plan() of tags.h. */
EK_API ek_status ek_build_tag_weights(const float *transitions, const float *start, const float *end,
                                      const uint8_t *allowed, const uint8_t *allowed_start, const uint8_t *allowed_end,
                                      size_t n_tags, ek_tag_weights *weights);

/* Bytes of scratch memory, aligned for double, for ek_tag_posteriors(); 0 if a number is out of range. */
EK_API size_t ek_posteriors_scratch(size_t n_tokens, size_t n_tags);

/* The probability of each given tag at its token, 0 to 1.
 *
 * emissions   n_tokens rows of n_tags scores
 * tags        n_tokens tags, as ek_viterbi() gives
 * posteriors  result, n_tokens
 *
 * EK_BAD_ARGUMENT: a null pointer. EK_NOT_A_NUMBER: a score beyond the limits. EK_OUT_OF_RANGE: a tag that is not in 0
 * to n_tags - 1. EK_NO_PATH: the masks and minus infinities leave none. */
EK_API ek_status ek_tag_posteriors(const ek_tag_weights *weights, const float *emissions, const int32_t *tags,
                                   size_t n_tokens, void *scratch, double *posteriors);

#ifdef __cplusplus
}
#endif
#endif
