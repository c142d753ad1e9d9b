/* Numbers of phrases: the values that models were trained with, all widths of text, and errors. */
#include "check.h"
#include "edge_kernels.h"

static const ek_phrase_scheme SCHEME = {3, 4, 1, 1000, 100};

int main(void) {
    const int32_t expected[] = {915, 77, 554, 850, 136, 1044, 1009}; /* windows, the word, the last word */
    const uint8_t narrow[] = {'i', 'o', 'n'};
    const uint16_t middle[] = {'i', 'o', 'n'};
    const uint32_t wide[] = {'i', 'o', 'n'};
    const ek_ucs texts[] = {{narrow, 3, 1}, {middle, 3, 2}, {wide, 3, 4}};
    int32_t numbers[64];
    size_t count;
    CHECK(ek_phrase_ngrams_capacity(&SCHEME, 3) >= 7 && ek_phrase_ngrams_capacity(NULL, 3) == 0);
    for (size_t i = 0; i < 3; i++) {
        CHECK(ek_phrase_ngrams(&SCHEME, texts[i], numbers, 64, &count) == EK_OK);
        CHECK(count == 7 && memcmp(numbers, expected, sizeof expected) == 0);
        for (size_t room = 0; room < 7; room++)
            CHECK(ek_phrase_ngrams(&SCHEME, texts[i], numbers, room, &count) == EK_TOO_SMALL && count == 0);
    }
    const ek_ucs empty = {NULL, 0, 1}, spaces = {"   ", 3, 1}, odd = {narrow, 3, 3}, nothing = {NULL, 3, 1};
    CHECK(ek_phrase_ngrams(&SCHEME, empty, NULL, 0, &count) == EK_OK && count == 0);
    CHECK(ek_phrase_ngrams(&SCHEME, spaces, NULL, 0, &count) == EK_OK && count == 0);
    CHECK(ek_phrase_ngrams(&SCHEME, odd, numbers, 64, &count) == EK_BAD_ARGUMENT);
    CHECK(ek_phrase_ngrams(&SCHEME, nothing, numbers, 64, &count) == EK_BAD_ARGUMENT);
    CHECK(ek_phrase_ngrams(NULL, texts[0], numbers, 64, &count) == EK_BAD_ARGUMENT);
    CHECK(ek_phrase_ngrams(&SCHEME, texts[0], NULL, 64, &count) == EK_BAD_ARGUMENT);
    const ek_phrase_scheme wrong[] = {{0, 3, 1, 9, 9}, {4, 3, 1, 9, 9},  {3, 17, 1, 9, 9},          {3, 3, 9, 9, 9},
                                      {3, 3, 1, 0, 9}, {3, 3, 1, 9, 0}, {3, 3, 1, (1u << 24) + 1, 9}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(ek_phrase_ngrams(&wrong[i], texts[0], numbers, 64, &count) == EK_BAD_ARGUMENT);
    return 0;
}
