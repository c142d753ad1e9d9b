/* Identities by width, hashed pairs, what never begins a word, and lexicon features against their definition. */
#include "check.h"
#include "edge_kernels.h"

enum { LENGTH = 12, WORDS = 10, LONGEST = 5 };

static void identities(void) {
    uint16_t *table = calloc(EK_IDENTITY_TABLE, sizeof *table);
    CHECK(table != NULL);
    table['a'] = 7, table[0xE9] = 3, table[0x4E2D] = 40, table[EK_IDENTITY_TABLE - 1] = EK_HAN;
    const uint8_t narrow[] = {'a', 0xE9, ' '};
    const uint16_t medium[] = {0x4E2D, 'a', 0xFFFF};
    const uint32_t wide[] = {0x1F600, 0x4E2D, 0x10000, 0x10FFFF, 0xFFFFFFFF, 'a'};
    int32_t found[6];
    CHECK(ek_identities((ek_ucs){narrow, 3, 1}, table, found) == EK_OK);
    CHECK(found[0] == 7 && found[1] == 3 && found[2] == 0);
    CHECK(ek_identities((ek_ucs){medium, 3, 2}, table, found) == EK_OK);
    CHECK(found[0] == 40 && found[1] == 7 && found[2] == 0);
    CHECK(ek_identities((ek_ucs){wide, 6, 4}, table, found) == EK_OK);
    const int32_t expected[] = {EK_HAN, 40, EK_HAN, EK_HAN, EK_HAN, 7};
    CHECK(memcmp(found, expected, sizeof expected) == 0);
    CHECK(ek_identities((ek_ucs){NULL, 0, 2}, table, NULL) == EK_OK);
    CHECK(ek_identities((ek_ucs){narrow, 3, 3}, table, found) == EK_BAD_ARGUMENT);
    CHECK(ek_identities((ek_ucs){NULL, 3, 1}, table, found) == EK_BAD_ARGUMENT);
    CHECK(ek_identities((ek_ucs){narrow, 3, 1}, NULL, found) == EK_BAD_ARGUMENT);
    CHECK(ek_identities((ek_ucs){narrow, 3, 1}, table, NULL) == EK_BAD_ARGUMENT);
    free(table);
}

static void bigrams(void) {
    const int32_t ids[] = {1, 40, 2000, 40};
    int32_t found[4], whole[4];
    CHECK(ek_bigrams(ids, 4, 1u << 15, found) == EK_OK);
    uint64_t before = 0; /* in 64 bits, with the remainder written out */
    for (size_t i = 0; i < 4; i++) {
        uint64_t hash = ((uint64_t)ids[i] * 0x9E3779B1u + before * 0x85EBCA77u) % 0x100000000u;
        CHECK(found[i] == (int32_t)(hash * (1u << 15) / 0x100000000u));
        before = (uint64_t)ids[i];
    }
    CHECK(found[1] != found[3]); /* the same character after another one */
    CHECK(ek_bigrams(ids, 4, 1u << 24, whole) == EK_OK);
    for (size_t i = 0; i < 4; i++) CHECK(found[i] == whole[i] >> 9); /* high bits of the same hash */
    CHECK(ek_bigrams(NULL, 0, 2, NULL) == EK_OK);
    const uint32_t wrong[] = {0, 1, 3, 1u << 25, 0xFFFFFFFF};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(ek_bigrams(ids, 4, wrong[i], found) == EK_BAD_ARGUMENT);
    CHECK(ek_bigrams(NULL, 1, 2, found) == EK_BAD_ARGUMENT);
    CHECK(ek_bigrams(ids, 1, 2, NULL) == EK_BAD_ARGUMENT);
}

static void inside_words(void) {
    /* mark, letters ab, digits 12, edge, mark, Han, mark, mark, unknown letter, known symbol */
    const int32_t ids[] = {EK_MARK, EK_FIRST_LETTER, EK_FIRST_LETTER + 1, EK_DIGIT, EK_DIGIT, EK_EDGE,
                           EK_MARK, EK_HAN, EK_MARK, EK_MARK, EK_LETTER, EK_FIRST_KNOWN};
    const uint8_t expected[] = {0, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0};
    uint8_t found[12];
    size_t count = 99;
    CHECK(ek_inside_words(ids, 12, found, &count) == EK_OK);
    CHECK(count == 4 && memcmp(found, expected, sizeof expected) == 0);
    CHECK(ek_inside_words(NULL, 0, NULL, &count) == EK_OK && count == 0);
    CHECK(ek_inside_words(ids, 1, found, NULL) == EK_BAD_ARGUMENT);
    CHECK(ek_inside_words(NULL, 1, found, &count) == EK_BAD_ARGUMENT);
}

static int32_t at_most(int32_t length) { return length < LONGEST ? length : LONGEST; }

/* A feature by its definition: for one character, over all words. */
static int32_t feature(int32_t at, const int32_t *starts, const int32_t *ends, size_t count) {
    int32_t begins = 0, inside = 0, closes = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t length = at_most(ends[i] - starts[i]);
        if (length < 2) continue;
        if (starts[i] == at && begins < length - 1) begins = length - 1;
        if (starts[i] < at && at < ends[i] - 1 && inside < length - 2) inside = length - 2;
        if (ends[i] - 1 == at && closes < length - 1) closes = length - 1;
    }
    return (begins * (LONGEST - 1) + inside) * LONGEST + closes;
}

static void lexicon_features(void) {
    int32_t starts[WORDS], ends[WORDS], found[LENGTH];
    for (int round = 0; round < 20000; round++) {
        size_t count = check_random(WORDS + 1), length = 1 + check_random(LENGTH);
        for (size_t i = 0; i < count; i++) {
            starts[i] = (int32_t)check_random((uint32_t)length);
            ends[i] = starts[i] + 1 + (int32_t)check_random((uint32_t)length - (uint32_t)starts[i]);
        }
        CHECK(ek_lexicon_features(length, (ek_words){starts, ends, count}, found) == EK_OK);
        for (size_t i = 0; i < length; i++) CHECK(found[i] == feature((int32_t)i, starts, ends, count));
    }
    CHECK(ek_lexicon_features(0, (ek_words){NULL, NULL, 0}, NULL) == EK_OK);
    const int32_t outside[][2] = {{0, 4}, {-1, 1}, {1, 1}, {2, 1}, {3, 4}, {INT32_MAX, INT32_MIN}};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        CHECK(ek_lexicon_features(3, (ek_words){&outside[i][0], &outside[i][1], 1}, found) == EK_OUT_OF_RANGE);
    CHECK(ek_lexicon_features(3, (ek_words){NULL, ends, 1}, found) == EK_BAD_ARGUMENT);
    CHECK(ek_lexicon_features(3, (ek_words){starts, ends, 0}, NULL) == EK_BAD_ARGUMENT);
}

int main(void) {
    identities();
    bigrams();
    inside_words();
    lexicon_features();
    return 0;
}
