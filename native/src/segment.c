/* The decoding modes of CWSeg, built on the lattice. */
#include "edge_kernels/lattice.h"

#include <string.h>

size_t ek_segment_most(ek_mode mode, size_t length, size_t n_matches) {
    return mode == EK_INDEX ? n_matches + 3 * length : length;
}

static size_t round8(size_t size) { return (size + 7) & ~(size_t)7; }

size_t ek_segment_size(size_t length, size_t n_words, size_t n_matches) {
    size_t count = n_words + n_matches;
    return ek_lattice_best_size(length, count) + round8(4 * count) * 3 + round8(4 * length) * 5 +
           2 * round8(length + 1 + count);
}

static int tiles(size_t length, ek_words words) {
    size_t at = 0;
    for (size_t i = 0; i < words.count; i++) {
        if (words.starts[i] < 0 || (size_t)words.starts[i] != at || words.ends[i] <= words.starts[i]) return 0;
        at = (size_t)words.ends[i];
    }
    return at == length;
}

/* Order of words by start, then by end: < 0, 0 or > 0. */
static int order(ek_words a, size_t i, ek_words b, size_t j) {
    if (a.starts[i] != b.starts[j]) return a.starts[i] < b.starts[j] ? -1 : 1;
    return (a.ends[i] > b.ends[j]) - (a.ends[i] < b.ends[j]);
}

typedef struct pieces {
    uint8_t *next;
} pieces;

static void *take(pieces *scratch, size_t size) {
    void *piece = scratch->next;
    scratch->next += round8(size);
    return piece;
}

/* The words of `mode` (fine or coarse) in starts, ends. */
static ek_status decode(ek_mode mode, size_t length, ek_words words, ek_words matches, pieces scratch, int32_t *starts,
                        int32_t *ends, size_t *count) {
    size_t most = words.count + matches.count, n = 0;
    int32_t *from = take(&scratch, 4 * most), *to = take(&scratch, 4 * most), *path = take(&scratch, 4 * length);
    float *scores = take(&scratch, 4 * most);
    uint8_t *borders = take(&scratch, length + 1), *keep = take(&scratch, most);
    ek_status status = ek_lattice_borders(length, words, borders);
    if (status == EK_OK)
        status = (mode == EK_FINE ? ek_lattice_cut : ek_lattice_link)(length, matches, borders, keep);
    if (status != EK_OK) return status;
    for (size_t i = 0; i < words.count; i++, n++) from[n] = words.starts[i], to[n] = words.ends[i];
    for (size_t i = 0; i < matches.count; i++)
        if (keep[i]) from[n] = matches.starts[i], to[n] = matches.ends[i], n++;
    for (size_t i = 0; i < n; i++) scores[i] = mode == EK_COARSE ? -1.0f : to[i] - from[i] >= 2 ? 1.0f : 0.0f;
    ek_words candidates = {from, to, n};
    double score;
    status = ek_lattice_best(length, candidates, scores, scratch.next, ek_lattice_best_size(length, n), path, count,
                             &score);
    if (status != EK_OK) return status;
    for (size_t i = 0; i < *count; i++) starts[i] = from[path[i]], ends[i] = to[path[i]];
    return EK_OK;
}

static ek_status decode_index(size_t length, ek_words words, ek_words matches, pieces scratch, int32_t *starts,
                              int32_t *ends, size_t *count) {
    int32_t *from[2], *to[2];
    size_t found[2];
    for (int i = 0; i < 2; i++) {
        from[i] = take(&scratch, 4 * length);
        to[i] = take(&scratch, 4 * length);
    }
    for (int i = 0; i < 2; i++) {
        ek_mode mode = i == 0 ? EK_FINE : EK_COARSE;
        ek_status status = decode(mode, length, words, matches, scratch, from[i], to[i], &found[i]);
        if (status != EK_OK) return status;
    }
    const ek_words lists[4] = {words, matches, {from[0], to[0], found[0]}, {from[1], to[1], found[1]}};
    size_t at[4] = {0, 0, 0, 0};
    *count = 0;
    for (;;) { /* merge of four sorted lists */
        int least = -1;
        for (int i = 0; i < 4; i++)
            if (at[i] < lists[i].count && (least < 0 || order(lists[i], at[i], lists[least], at[least]) < 0)) least = i;
        if (least < 0) return EK_OK;
        int32_t start = lists[least].starts[at[least]], end = lists[least].ends[at[least]++];
        if (*count > 0 && starts[*count - 1] == start && ends[*count - 1] == end) continue;
        starts[*count] = start;
        ends[(*count)++] = end;
    }
}

ek_status ek_segment(ek_mode mode, size_t length, ek_words words, ek_words matches, void *scratch,
                     size_t scratch_size, int32_t *starts, int32_t *ends, size_t *count) {
    if (length > INT32_MAX || words.count > length || matches.count > INT32_MAX - length || count == NULL ||
        scratch == NULL || (uintptr_t)scratch % 8 != 0 || (unsigned)mode > EK_INDEX ||
        (words.count > 0 && (!words.starts || !words.ends)) ||
        (matches.count > 0 && (!matches.starts || !matches.ends)) ||
        (ek_segment_most(mode, length, matches.count) > 0 && (starts == NULL || ends == NULL)))
        return EK_BAD_ARGUMENT;
    if (!tiles(length, words)) return EK_BAD_ARGUMENT;
    for (size_t i = 0; i < matches.count; i++) {
        if (matches.starts[i] < 0 || matches.ends[i] <= matches.starts[i] || (size_t)matches.ends[i] > length)
            return EK_OUT_OF_RANGE;
        if (i > 0 && order(matches, i - 1, matches, i) > 0) return EK_BAD_ARGUMENT;
    }
    if (scratch_size < ek_segment_size(length, words.count, matches.count)) return EK_TOO_SMALL;
    pieces memory = {scratch};
    if (mode == EK_INDEX) return decode_index(length, words, matches, memory, starts, ends, count);
    if (mode != EK_NORMAL) return decode(mode, length, words, matches, memory, starts, ends, count);
    *count = words.count;
    if (words.count > 0) {
        memcpy(starts, words.starts, words.count * sizeof *starts);
        memcpy(ends, words.ends, words.count * sizeof *ends);
    }
    return EK_OK;
}
