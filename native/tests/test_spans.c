/* Tag names, BIO and BIOES masks, spans with their repair, and scores. */
#include <math.h>

#include "check.h"
#include "edge_kernels.h"

static const char *const NAMES[] = {"O", "B-x", "B-y", "I-x", "I-y", "E-x", "E-y", "S-x", "S-y"};
enum { N_NAMES = sizeof NAMES / sizeof *NAMES, MAX_TOKENS = 8 };

static ek_text text(const char *string) {
    const ek_text view = {string, strlen(string)};
    return view;
}

static int32_t tag_of(const char *name, size_t size) {
    for (int32_t i = 0; i < N_NAMES; i++)
        if (strlen(NAMES[i]) == size && memcmp(NAMES[i], name, size) == 0) return i;
    CHECK(!"a known tag");
    return -1;
}

/* `tags` and `expected` are separated by spaces; a span is written as its type, first and last, as "x02". */
static void marks(const char *tags, const char *expected) {
    ek_text names[N_NAMES];
    uint8_t kinds[N_NAMES];
    int32_t types[N_NAMES], indices[MAX_TOKENS];
    for (size_t i = 0; i < N_NAMES; i++) names[i] = text(NAMES[i]);
    CHECK(ek_parse_labels(names, N_NAMES, kinds, types) == EK_OK);
    size_t n = 0, n_spans = 9;
    for (const char *p = tags; *p; p += p[strcspn(p, " ")] ? strcspn(p, " ") + 1 : strcspn(p, " "))
        indices[n++] = tag_of(p, strcspn(p, " "));
    ek_span *spans = malloc((n + 1) * sizeof *spans);
    CHECK(ek_tag_spans(indices, n, kinds, types, N_NAMES, spans, &n_spans) == EK_OK);
    char found[100] = "";
    for (size_t i = 0; i < n_spans; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%c%u%u", i ? " " : "", "xy"[spans[i].type],
                 (unsigned)spans[i].first, (unsigned)spans[i].last);
    CHECK(strcmp(found, expected) == 0);
    free(spans);
}

static void labels(void) {
    const ek_text names[] = {{"I-b", 3}, {"O", 1}, {"B-aa", 4}, {"B-b", 3}, {"B-a", 3}};
    uint8_t kinds[5], allowed[25], first[5], last[5];
    int32_t types[5];
    CHECK(ek_parse_labels(names, 5, kinds, types) == EK_OK);
    const uint8_t expected_kinds[] = {EK_INSIDE, EK_OUTSIDE, EK_BEGIN, EK_BEGIN, EK_BEGIN};
    const int32_t expected_types[] = {0, -1, 1, 0, 2};
    CHECK(memcmp(kinds, expected_kinds, sizeof kinds) == 0);
    CHECK(memcmp(types, expected_types, sizeof types) == 0);
    CHECK(ek_bio_masks(kinds, types, 5, allowed, first, last) == EK_OK);
    for (size_t from = 0; from < 5; from++) {
        CHECK(first[from] == (from != 0) && last[from] == 1);
        for (size_t to = 0; to < 5; to++) CHECK(allowed[from * 5 + to] == (to != 0 || from == 0 || from == 3));
    }
    const ek_text wrong[] = {{"", 0}, {"B", 1}, {"B-", 2}, {"X-a", 3}, {"Bxa", 3}, {"OO", 2}, {NULL, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(ek_parse_labels(wrong + i, 1, kinds, types) == EK_BAD_ARGUMENT);
    CHECK(ek_parse_labels(NULL, 1, kinds, types) == EK_BAD_ARGUMENT);
    CHECK(ek_bio_masks(kinds, types, 1, NULL, first, last) == EK_BAD_ARGUMENT);
}

static void scores(void) {
    const float log3 = logf(3.0f);
    const float emissions[] = {0, log3, 5, 5, -INFINITY, -INFINITY};
    const int32_t tags[] = {1, 0, 1}, wrong[] = {1, 2, 1};
    const ek_span spans[] = {{0, 0, 1}, {0, 0, 2}, {0, 2, 3}}, empty = {0, 1, 1}, beyond = {0, 2, 4};
    double result[3];
    CHECK(ek_span_scores(emissions, tags, 3, 2, spans, 3, result) == EK_OK);
    CHECK(fabs(result[0] - 0.75) < 1e-6 && fabs(result[1] - 0.625) < 1e-6 && result[2] == 0);
    CHECK(ek_span_scores(emissions, tags, 3, 2, &empty, 1, result) == EK_OUT_OF_RANGE);
    CHECK(ek_span_scores(emissions, tags, 3, 2, &beyond, 1, result) == EK_OUT_OF_RANGE);
    CHECK(ek_span_scores(emissions, wrong, 3, 2, spans, 1, result) == EK_OUT_OF_RANGE);
    CHECK(ek_span_scores(emissions, tags, 3, 0, spans, 1, result) == EK_BAD_ARGUMENT);
    CHECK(ek_span_scores(NULL, tags, 3, 2, spans, 1, result) == EK_BAD_ARGUMENT);
}

int main(void) {
    marks("", "");
    marks("O B-x I-x O", "x13");
    marks("B-x B-x", "x01 x12");
    marks("I-x I-x O", "x02"); /* repaired: an inside without its beginning begins */
    marks("B-x I-y I-y", "x01 y13");
    marks("B-x O I-x", "x01 x23");
    marks("B-x I-x E-x S-y", "x03 y34");
    marks("S-x I-x E-x I-x", "x01 x13 x34");
    marks("E-x E-x", "x01 x12");
    marks("B-x E-y", "x01 y12");
    const int32_t wrong[] = {-1, 1};
    const uint8_t kind[] = {EK_SINGLE + 1};
    const int32_t type[] = {0};
    ek_span span;
    size_t n_spans;
    CHECK(ek_tag_spans(wrong, 1, kind, type, 1, &span, &n_spans) == EK_OUT_OF_RANGE);
    CHECK(ek_tag_spans(wrong + 1, 1, kind, type, 1, &span, &n_spans) == EK_OUT_OF_RANGE);
    CHECK(ek_tag_spans(type, 1, kind, type, 1, &span, &n_spans) == EK_OUT_OF_RANGE);
    CHECK(ek_tag_spans(NULL, 1, kind, type, 1, &span, &n_spans) == EK_BAD_ARGUMENT);
    labels();
    scores();
    return 0;
}
