#include "edge_kernels/ngrams.h"

#define SPACE 0x20u
#define END 0x03u
#define PRIME 0x01000193u
#define WORD_GROUP 64u

/* The phrase with a space before it and `last` after it, and where its numbers go. */
typedef struct writer {
    const void *data;
    uint32_t width, last;
    size_t length; /* with both */
    int32_t *numbers;
    size_t capacity, count;
} writer;

static uint32_t at(const writer *w, size_t i) {
    if (i == 0) return SPACE;
    if (i + 1 == w->length) return w->last;
    if (w->width == 1) return ((const uint8_t *)w->data)[i - 1];
    if (w->width == 2) return ((const uint16_t *)w->data)[i - 1];
    return ((const uint32_t *)w->data)[i - 1];
}

/* Hashes code points [start, end) and writes the number; 0 if there is no room for it. */
static int add(writer *w, uint32_t group, size_t start, size_t end, uint32_t first, uint32_t buckets) {
    uint32_t h = (0x811C9DC5u ^ group) * PRIME;
    for (size_t i = start; i < end; i++) h = (h ^ at(w, i)) * PRIME;
    h ^= h >> 16;
    h *= 0x85EBCA6Bu;
    h ^= h >> 13;
    h *= 0xC2B2AE35u;
    h ^= h >> 16;
    if (w->count == w->capacity) return 0;
    w->numbers[w->count++] = (int32_t)(first + (uint32_t)((uint64_t)h * buckets >> 32));
    return 1;
}

/* The first place from `i` on that is a space (or is none); the length if there is none. */
static size_t find(const writer *w, size_t i, int space) {
    while (i < w->length && (at(w, i) == SPACE) != space) i++;
    return i;
}

size_t ek_phrase_ngrams_capacity(const ek_phrase_scheme *scheme, size_t length) {
    if (scheme == NULL) return 0;
    return ((size_t)scheme->ngram_max - scheme->ngram_min + 1) * (length + 2) + scheme->word_max * (length / 2 + 1) + 1;
}

ek_status ek_phrase_ngrams(const ek_phrase_scheme *scheme, ek_ucs text, int32_t *numbers, size_t capacity,
                           size_t *count) {
    if (!scheme || !count || (!numbers && capacity) || (!text.data && text.length)) return EK_BAD_ARGUMENT;
    if (text.width != 1 && text.width != 2 && text.width != 4) return EK_BAD_ARGUMENT;
    const ek_phrase_scheme s = *scheme;
    if (s.ngram_min < 1 || s.ngram_min > s.ngram_max || s.ngram_max > EK_MAX_PHRASE_NGRAM ||
        s.word_max > EK_MAX_PHRASE_WORDS || s.ngram_buckets < 1 || s.ngram_buckets > EK_MAX_PHRASE_BUCKETS ||
        s.word_buckets < 1 || s.word_buckets > EK_MAX_PHRASE_BUCKETS || text.length > INT32_MAX)
        return EK_BAD_ARGUMENT;
    writer w = {text.data, text.width, SPACE, text.length + 2, numbers, capacity, 0};
    *count = 0;
    if (find(&w, 0, 0) == w.length) return EK_OK;
    w.last = END;
    for (uint32_t n = s.ngram_min; n <= s.ngram_max; n++)
        for (size_t start = 0; start + n <= w.length; start++)
            if (!add(&w, n, start, start + n, 1, s.ngram_buckets)) return EK_TOO_SMALL;
    w.last = SPACE;
    const uint32_t first = 1 + s.ngram_buckets;
    for (uint32_t k = 1; k <= s.word_max; k++) {
        /* a run of k words slides along: both of its ends go on by a word */
        size_t start = find(&w, 0, 0), end = 0;
        for (uint32_t i = 0; i < k; i++) end = find(&w, find(&w, end, 0), 1);
        while (end < w.length) {
            if (!add(&w, WORD_GROUP + k, start - 1, end + 1, first, s.word_buckets)) return EK_TOO_SMALL;
            start = find(&w, find(&w, start, 1), 0);
            end = find(&w, find(&w, end, 0), 1);
        }
    }
    if (s.word_max > 0) { /* the last word once more */
        size_t end = w.length;
        while (at(&w, end - 1) == SPACE) end--;
        size_t start = end;
        while (at(&w, start - 1) != SPACE) start--;
        if (!add(&w, WORD_GROUP, start - 1, end + 1, first, s.word_buckets)) return EK_TOO_SMALL;
    }
    *count = w.count;
    return EK_OK;
}
