/* Arbitrary words and scores: the path must be one, and the modes must keep their promises. */
#include "bytes.h"
#include "edge_kernels.h"

#include <math.h>
#include <stdlib.h>

enum { WORDS = 64 };

static void check_path(size_t length, ek_words words, const float *scores) {
    size_t size = ek_lattice_best_size(length, words.count), n;
    void *scratch = malloc(size);
    int32_t *path = malloc(4 * length + 4);
    double score, sum = 0;
    if (!scratch || !path) abort();
    ek_status status = ek_lattice_best(length, words, scores, scratch, size, path, &n, &score);
    if (status == EK_OK) {
        size_t at = 0;
        for (size_t i = 0; i < n; i++) {
            if (path[i] < 0 || (size_t)path[i] >= words.count || (size_t)words.starts[path[i]] != at) abort();
            at = (size_t)words.ends[path[i]];
        }
        for (size_t i = n; i-- > 0;) sum = scores[path[i]] + sum;
        if (at != length || !(sum == score)) abort();
    }
    free(scratch);
    free(path);
}

static void check_modes(size_t length, ek_words words, ek_words matches) {
    size_t size = ek_segment_size(length, words.count, matches.count), count[4];
    size_t most = ek_segment_most(EK_INDEX, length, matches.count);
    void *scratch = malloc(size);
    int32_t *starts = malloc(4 * most + 4), *ends = malloc(4 * most + 4);
    if (!scratch || !starts || !ends) abort();
    for (int mode = 0; mode < 4; mode++) {
        if (ek_segment((ek_mode)mode, length, words, matches, scratch, size, starts, ends, &count[mode]) != EK_OK)
            break;
        if (mode == EK_FINE && count[mode] < count[EK_NORMAL]) abort();
        if (mode == EK_COARSE && count[mode] > count[EK_NORMAL]) abort();
        for (size_t i = 0; i < count[mode]; i++)
            if (starts[i] < 0 || ends[i] <= starts[i] || (size_t)ends[i] > length) abort();
    }
    free(scratch);
    free(starts);
    free(ends);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int32_t starts[WORDS], ends[WORDS], tile_starts[256], tile_ends[256];
    float scores[WORDS];
    if (size < 2) return 0;
    size_t length = data[0] % 80, count = 0, tiles = 0;
    for (size_t i = 2; i + 6 <= size && count < WORDS; i += 6, count++) {
        uint32_t bits = ek_load32(data + i + 2, 0);
        starts[count] = (int8_t)data[i];
        ends[count] = data[1] % 4 == 0 ? (int8_t)data[i + 1] : starts[count] + 1 + data[i + 1] % 4;
        memcpy(&scores[count], &bits, 4);
        if (data[1] & 4) scores[count] = (float)(bits % 4);
    }
    ek_words words = {starts, ends, count};
    check_path(length, words, scores);
    for (size_t at = 0; at < length;) {
        size_t step = 1 + data[1 + tiles % (size - 1)] % 5;
        tile_starts[tiles] = (int32_t)at;
        at = at + step < length ? at + step : length;
        tile_ends[tiles++] = (int32_t)at;
    }
    ek_words segmentation = {tile_starts, tile_ends, tiles};
    check_modes(length, segmentation, words); /* often refused */
    for (size_t i = 0, kept = 0; i <= count; i++) { /* in order: accepted */
        if (i < count && starts[i] >= 0 && ends[i] > starts[i] && (size_t)ends[i] <= length &&
            (kept == 0 || starts[i] > starts[kept - 1] ||
             (starts[i] == starts[kept - 1] && ends[i] >= ends[kept - 1]))) {
            starts[kept] = starts[i];
            ends[kept++] = ends[i];
        }
        words.count = kept;
    }
    check_modes(length, segmentation, words);
    return 0;
}
