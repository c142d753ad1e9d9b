/* Arbitrary text and places of words: results within their ranges, and refusals only where a word is not in the text.
 * Input: width and number of words, the text, then two bytes a word. */
#include "edge_kernels.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS = 32 };

static void check_text(ek_ucs text, const uint16_t *table, uint32_t buckets) {
    int32_t *ids = malloc(4 * text.length + 4), *pairs = malloc(4 * text.length + 4);
    uint8_t *inside = malloc(text.length + 1);
    size_t count, seen = 0;
    if (!ids || !pairs || !inside) abort();
    if (ek_identities(text, table, ids) != EK_OK || ek_bigrams(ids, text.length, buckets, pairs) != EK_OK ||
        ek_inside_words(ids, text.length, inside, &count) != EK_OK)
        abort();
    for (size_t i = 0; i < text.length; i++) {
        if (ids[i] < 0 || ids[i] > 0xFFFF || pairs[i] < 0 || (uint32_t)pairs[i] >= buckets || inside[i] > 1) abort();
        if (inside[i] && (i == 0 || ids[i] == EK_EDGE)) abort();
        seen += inside[i];
    }
    if (seen != count) abort();
    free(ids);
    free(pairs);
    free(inside);
}

static void check_features(size_t length, ek_words words) {
    int32_t *features = malloc(4 * length + 4);
    int fits = 1;
    if (!features) abort();
    for (size_t i = 0; i < words.count; i++)
        if (words.starts[i] < 0 || words.ends[i] <= words.starts[i] || (size_t)words.ends[i] > length) fits = 0;
    if (ek_lexicon_features(length, words, features) != (fits ? EK_OK : EK_OUT_OF_RANGE)) abort();
    for (size_t i = 0; fits && i < length; i++)
        if (features[i] < 0 || features[i] >= 100) abort();
    for (size_t k = 0; fits && k < words.count; k++) /* both ends of every word say so */
        if (words.ends[k] - words.starts[k] > 1 &&
            (features[words.starts[k]] / 20 == 0 || features[words.ends[k] - 1] % 5 == 0))
            abort();
    free(features);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint16_t table[EK_IDENTITY_TABLE];
    int32_t starts[WORDS], ends[WORDS];
    if (size < 2) return 0;
    for (size_t i = 0; table[1] == 0 && i < EK_IDENTITY_TABLE; i++) /* once: every class, and known ones */
        table[EK_IDENTITY_TABLE - 1 - i] = (uint16_t)((EK_IDENTITY_TABLE - 1 - i) % 47);
    uint32_t width = 1u << data[0] % 3, buckets = 2u << data[0] / 3 % 24;
    size_t count = data[1] % WORDS;
    if (2 + 2 * count > size) return 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *place = data + size - 2 * (i + 1);
        starts[i] = (int8_t)place[0];
        ends[i] = data[1] & 0x80 ? (int8_t)place[1] : starts[i] + 1 + place[1] % 8;
    }
    size_t length = (size - 2 - 2 * count) / width;
    void *text = malloc(length * width + 1); /* aligned, and just as long as it says */
    if (!text) abort();
    memcpy(text, data + 2, length * width);
    check_text((ek_ucs){text, length, width}, table, buckets);
    check_features(length, (ek_words){starts, ends, count});
    free(text);
    return 0;
}
