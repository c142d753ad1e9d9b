/* The layout of transitions that Viterbi runs on.
 *
 * Tags that many others may precede are the columns of a dense matrix, padded for vectors; a tag that few may precede,
 * as I-x under BIO masks, has a list of its predecessors. Which it is follows from the scores alone, so that any
 * masks profit and none needs to be declared. */
#ifndef EK_TAG_PLAN_H
#define EK_TAG_PLAN_H

#include "edge_kernels/tags.h"

enum { EK_PLAN_LANES = 16 }; /* the dense matrix has a multiple of this many columns */

struct ek_tag_plan {
    uint32_t n_tags;
    uint32_t n_dense;
    uint32_t stride; /* columns of the dense matrix with their padding */
    uint32_t degree; /* most predecessors that a sparse tag has */
    /* Where the arrays begin, in bytes from the plan itself. */
    uint32_t start, end;   /* float[n_tags], minus infinity where forbidden */
    uint32_t tag_of;       /* uint32_t[n_tags]: tags of the dense columns, then of the others, each ascending */
    uint32_t column_of;    /* uint32_t[n_tags]: its inverse */
    uint32_t edge_from;    /* uint32_t[degree][n_tags - n_dense]: predecessors of the sparse tags, ascending, then 0 */
    uint32_t edge_score;   /* float[degree][n_tags - n_dense], minus infinity where a tag has fewer predecessors */
    uint32_t dense;        /* float[n_tags][stride]: from a tag to a column's tag */
};

static inline const float *ek_plan_floats(const ek_tag_plan *plan, uint32_t offset) {
    return (const float *)(const void *)((const char *)plan + offset);
}

static inline const uint32_t *ek_plan_indices(const ek_tag_plan *plan, uint32_t offset) {
    return (const uint32_t *)(const void *)((const char *)plan + offset);
}

/* Whether every score is at most EK_MAX_SCORE in size or minus infinity. */
int ek_scores_valid(const float *scores, size_t n);

/* best[j] = max over i in 0 to n_rows - 1 of (previous[i] + matrix[i * stride + j]), for j in 0 to stride - 1, a
 * multiple of EK_PLAN_LANES; minus infinity for n_rows 0. */
typedef void ek_max_plus(const float *previous, size_t n_rows, const float *matrix, size_t stride, float *best);

/* The fastest variant that this processor runs; all give the same values. */
ek_max_plus *ek_pick_max_plus(void);

/* The variants by number (0 is plain C), NULL where there is none or this processor lacks it: for the tests. */
ek_max_plus *ek_max_plus_variant(size_t number);
#define EK_MAX_PLUS_VARIANTS 4

#endif
