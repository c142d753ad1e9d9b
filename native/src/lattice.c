#include "edge_kernels/lattice.h"

#include <math.h>
#include <string.h>

static int words_valid(size_t length, ek_words words) {
    return length <= INT32_MAX && words.count <= INT32_MAX && (words.count == 0 || (words.starts && words.ends));
}

/* Whether word i lies within the text and is not empty. */
static int inside(size_t length, ek_words words, size_t i) {
    return words.starts[i] >= 0 && words.ends[i] > words.starts[i] && (size_t)words.ends[i] <= length;
}

/* What is known at a position, looking at the text behind it. */
typedef struct state {
    double score;  /* of the best path to the end */
    int32_t words; /* on that path; -1 if there is none */
    int32_t edge;  /* its first word */
    int32_t head;  /* list of the words that start here, by index; -1 ends a list */
    int32_t reached;
} state;

size_t ek_lattice_best_size(size_t length, size_t count) {
    return (length + 1) * sizeof(state) + ((count * sizeof(int32_t) + 7) & ~(size_t)7);
}

static size_t furthest_reach(ek_words words, const float *scores, state *states, const int32_t *next, size_t length) {
    size_t furthest = 0;
    states[0].reached = 1;
    for (size_t i = 0; i < length; i++) {
        if (!states[i].reached) continue;
        furthest = i;
        for (int32_t edge = states[i].head; edge >= 0; edge = next[edge])
            if (scores[edge] > -INFINITY) states[words.ends[edge]].reached = 1;
    }
    return furthest;
}

ek_status ek_lattice_best(size_t length, ek_words words, const float *scores, void *scratch, size_t scratch_size,
                          int32_t *path, size_t *path_length, double *score) {
    if (!words_valid(length, words) || path_length == NULL || score == NULL || scratch == NULL ||
        (uintptr_t)scratch % sizeof(double) != 0 || (words.count > 0 && scores == NULL) || (length > 0 && path == NULL))
        return EK_BAD_ARGUMENT;
    if (scratch_size < ek_lattice_best_size(length, words.count)) return EK_TOO_SMALL;
    state *states = scratch;
    int32_t *next = (int32_t *)(void *)(states + length + 1);
    static const state nothing = {0.0, -1, -1, -1, 0};
    for (size_t i = 0; i <= length; i++) states[i] = nothing;
    states[length].words = 0;
    for (size_t i = words.count; i-- > 0;) {
        *path_length = i;
        if (!inside(length, words, i)) return EK_OUT_OF_RANGE;
        if (!(scores[i] < INFINITY)) return EK_NOT_A_NUMBER;
        next[i] = states[words.starts[i]].head;
        states[words.starts[i]].head = (int32_t)i;
    }
    for (size_t i = length; i-- > 0;) {
        state *here = &states[i];
        int32_t best_end = 0;
        for (int32_t edge = here->head; edge >= 0; edge = next[edge]) {
            int32_t end = words.ends[edge];
            const state *rest = &states[end];
            if (rest->words < 0 || !(scores[edge] > -INFINITY)) continue;
            double total = (double)scores[edge] + rest->score;
            int32_t n = rest->words + 1;
            if (here->words >= 0 &&
                (total < here->score ||
                 (total == here->score && (n > here->words || (n == here->words && end <= best_end)))))
                continue;
            here->score = total;
            here->words = n;
            here->edge = edge;
            best_end = end;
        }
    }
    if (states[0].words < 0) {
        *path_length = furthest_reach(words, scores, states, next, length);
        return EK_NO_PATH;
    }
    *path_length = 0;
    *score = states[0].score;
    for (size_t i = 0; i < length; i = (size_t)words.ends[states[i].edge]) path[(*path_length)++] = states[i].edge;
    return EK_OK;
}

ek_status ek_lattice_borders(size_t length, ek_words words, uint8_t *borders) {
    if (!words_valid(length, words) || borders == NULL) return EK_BAD_ARGUMENT;
    memset(borders, 0, length + 1);
    for (size_t i = 0; i < words.count; i++) {
        if (!inside(length, words, i)) return EK_OUT_OF_RANGE;
        borders[words.starts[i]] = 1;
        borders[words.ends[i]] = 1;
    }
    return EK_OK;
}

static int crosses(ek_words words, size_t i, const uint8_t *borders) {
    return memchr(borders + words.starts[i] + 1, 1, (size_t)(words.ends[i] - words.starts[i] - 1)) != NULL;
}

ek_status ek_lattice_cut(size_t length, ek_words words, const uint8_t *borders, uint8_t *keep) {
    if (!words_valid(length, words) || borders == NULL || (words.count > 0 && keep == NULL)) return EK_BAD_ARGUMENT;
    for (size_t i = 0; i < words.count; i++) {
        if (!inside(length, words, i)) return EK_OUT_OF_RANGE;
        keep[i] = !crosses(words, i, borders);
    }
    return EK_OK;
}

ek_status ek_lattice_link(size_t length, ek_words words, const uint8_t *borders, uint8_t *keep) {
    if (!words_valid(length, words) || borders == NULL || (words.count > 0 && keep == NULL)) return EK_BAD_ARGUMENT;
    for (size_t i = 0; i < words.count; i++) {
        if (!inside(length, words, i)) return EK_OUT_OF_RANGE;
        keep[i] = borders[words.starts[i]] == 1 && borders[words.ends[i]] == 1;
    }
    return EK_OK;
}
