/* The best path against all paths, the borders against their definition, and the modes' promises. */
#include "check.h"
#include "edge_kernels.h"

#include <math.h>

enum { MAX_LENGTH = 9, MAX_WORDS = 24 };

typedef struct best {
    int found;
    double score;
    int words;
    int32_t path[MAX_WORDS];
} best;

/* Whether path a is to be taken rather than b; both have equal sums and numbers of words. */
static int earlier(ek_words words, const int32_t *a, const int32_t *b, int n) {
    for (int i = 0; i < n; i++) {
        if (words.ends[a[i]] != words.ends[b[i]]) return words.ends[a[i]] > words.ends[b[i]];
        if (a[i] != b[i]) return a[i] < b[i];
    }
    return 0;
}

static void search(size_t length, ek_words words, const float *scores, int32_t at, int32_t *path, int n, best *b) {
    if ((size_t)at == length) {
        double score = 0;
        for (int i = n; i-- > 0;) score = scores[path[i]] + score;
        if (!b->found || score > b->score || (score == b->score && n < b->words) ||
            (score == b->score && n == b->words && earlier(words, path, b->path, n))) {
            b->found = 1;
            b->score = score;
            b->words = n;
            memcpy(b->path, path, sizeof(int32_t) * (size_t)n);
        }
        return;
    }
    for (size_t i = 0; i < words.count; i++) {
        if (words.starts[i] != at || !(scores[i] > -INFINITY)) continue;
        path[n] = (int32_t)i;
        search(length, words, scores, words.ends[i], path, n + 1, b);
    }
}

static size_t random_words(size_t length, int32_t *starts, int32_t *ends) {
    size_t count = length == 0 ? 0 : check_random(MAX_WORDS);
    for (size_t i = 0; i < count; i++) {
        starts[i] = (int32_t)check_random((uint32_t)length);
        ends[i] = starts[i] + 1 + (int32_t)check_random((uint32_t)length - (uint32_t)starts[i]);
    }
    return count;
}

static void test_best(void) {
    int paths = 0;
    for (int round = 0; round < 20000; round++) {
        int32_t starts[MAX_WORDS], ends[MAX_WORDS], path[MAX_LENGTH], work[MAX_WORDS];
        float scores[MAX_WORDS];
        size_t length = check_random(MAX_LENGTH + 1), count = random_words(length, starts, ends), path_length;
        for (size_t i = 0; i < count; i++) scores[i] = check_random(12) ? (float)check_random(4) / 4 : -INFINITY;
        ek_words words = {starts, ends, count};
        size_t size = ek_lattice_best_size(length, count);
        void *scratch = malloc(size);
        double score;
        best expected = {0, 0, 0, {0}};
        CHECK(scratch);
        search(length, words, scores, 0, work, 0, &expected);
        ek_status status = ek_lattice_best(length, words, scores, scratch, size, path, &path_length, &score);
        CHECK(status == (expected.found ? EK_OK : EK_NO_PATH));
        if (expected.found) {
            paths++;
            CHECK(path_length == (size_t)expected.words && score == expected.score);
            CHECK(memcmp(path, expected.path, sizeof(int32_t) * path_length) == 0);
        } else {
            CHECK(path_length < length);
        }
        CHECK(ek_lattice_best(length, words, scores, scratch, size - 1, path, &path_length, &score) == EK_TOO_SMALL);
        free(scratch);
    }
    CHECK(paths > 3000);
}

static void test_errors(void) {
    int32_t starts[] = {0, 2}, ends[] = {2, 5}, path[4];
    float scores[] = {0, 0};
    double scratch[64], score;
    size_t n;
    ek_words words = {starts, ends, 2};
    CHECK(ek_lattice_best(4, words, scores, scratch, sizeof scratch, path, &n, &score) == EK_OUT_OF_RANGE && n == 1);
    ends[1] = 3;
    CHECK(ek_lattice_best(4, words, scores, scratch, sizeof scratch, path, &n, &score) == EK_NO_PATH && n == 3);
    scores[1] = NAN;
    CHECK(ek_lattice_best(4, words, scores, scratch, sizeof scratch, path, &n, &score) == EK_NOT_A_NUMBER && n == 1);
    CHECK(ek_lattice_best(4, words, NULL, scratch, sizeof scratch, path, &n, &score) == EK_BAD_ARGUMENT);
}

static void test_borders(void) {
    for (int round = 0; round < 3000; round++) {
        int32_t starts[MAX_WORDS], ends[MAX_WORDS];
        uint8_t borders[MAX_LENGTH + 1], cut[MAX_WORDS], link[MAX_WORDS];
        size_t length = check_random(MAX_LENGTH + 1);
        ek_words some = {starts, ends, random_words(length, starts, ends)}, none = {NULL, NULL, 0};
        CHECK(ek_lattice_borders(length, round % 2 ? some : none, borders) == EK_OK);
        for (size_t i = 0; i <= length; i++) {
            int border = 0;
            for (size_t j = 0; round % 2 && j < some.count; j++)
                border |= starts[j] == (int32_t)i || ends[j] == (int32_t)i;
            CHECK(borders[i] == border);
            borders[i] = (uint8_t)check_random(2);
        }
        CHECK(ek_lattice_cut(length, some, borders, cut) == EK_OK);
        CHECK(ek_lattice_link(length, some, borders, link) == EK_OK);
        for (size_t i = 0; i < some.count; i++) {
            int crosses = 0;
            for (int32_t j = starts[i] + 1; j < ends[i]; j++) crosses |= borders[j];
            CHECK(cut[i] == !crosses && link[i] == (borders[starts[i]] && borders[ends[i]]));
        }
    }
}

static int by_position(const void *a, const void *b) {
    const int32_t *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

static void test_modes(void) {
    for (int round = 0; round < 3000; round++) {
        int32_t starts[MAX_WORDS], ends[MAX_WORDS], pairs[MAX_WORDS][2], word_starts[MAX_LENGTH], word_ends[MAX_LENGTH];
        int32_t out_starts[4 * MAX_WORDS], out_ends[4 * MAX_WORDS];
        size_t length = check_random(MAX_LENGTH + 1), n_words = 0, count[4];
        ek_words matches = {starts, ends, random_words(length, starts, ends)};
        for (size_t i = 0; i < matches.count; i++) pairs[i][0] = starts[i], pairs[i][1] = ends[i];
        qsort(pairs, matches.count, sizeof pairs[0], by_position);
        for (size_t i = 0; i < matches.count; i++) starts[i] = pairs[i][0], ends[i] = pairs[i][1];
        for (size_t at = 0; at < length;) {
            word_starts[n_words] = (int32_t)at;
            at += 1 + check_random((uint32_t)(length - at));
            word_ends[n_words++] = (int32_t)at;
        }
        ek_words words = {word_starts, word_ends, n_words};
        size_t size = ek_segment_size(length, n_words, matches.count);
        void *scratch = malloc(size);
        CHECK(scratch);
        for (int mode = 0; mode < 4; mode++) {
            ek_mode m = (ek_mode)mode;
            CHECK(ek_segment(m, length, words, matches, scratch, size, out_starts, out_ends, &count[mode]) == EK_OK);
            CHECK(count[mode] <= ek_segment_most(m, length, matches.count));
            for (size_t i = 0; mode < 3 && i < count[mode]; i++) CHECK(out_starts[i] == (i ? out_ends[i - 1] : 0));
            for (size_t i = 1; i < count[mode]; i++)
                CHECK(out_starts[i] > out_starts[i - 1] ||
                      (out_starts[i] == out_starts[i - 1] && out_ends[i] > out_ends[i - 1]));
        }
        CHECK(count[EK_FINE] >= count[EK_NORMAL] && count[EK_COARSE] <= count[EK_NORMAL]);
        if (n_words > 0) {
            word_ends[n_words - 1]--;
            CHECK(ek_segment(EK_FINE, length, words, matches, scratch, size, out_starts, out_ends, count) ==
                  EK_BAD_ARGUMENT);
        }
        free(scratch);
    }
}

int main(void) {
    test_best();
    test_errors();
    test_borders();
    test_modes();
    return 0;
}
