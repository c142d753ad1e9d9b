#include "edge_kernels/characters.h"

#include <string.h>

#define LONGEST 5
#define BEGINS 20 /* what a step of begins, inside and ends counts in a feature */
#define INSIDE 5

ek_status ek_identities(ek_ucs text, const uint16_t *table, int32_t *identities)
{
    size_t i;
    if (table == NULL || (text.length > 0 && (text.data == NULL || identities == NULL))) return EK_BAD_ARGUMENT;
    if (text.width == 1) {
        const uint8_t *characters = text.data;
        for (i = 0; i < text.length; i++) identities[i] = table[characters[i]];
    } else if (text.width == 2) {
        const uint16_t *characters = text.data;
        for (i = 0; i < text.length; i++) identities[i] = table[characters[i]];
    } else if (text.width == 4) {
        const uint32_t *characters = text.data;
        for (i = 0; i < text.length; i++)
            identities[i] = table[characters[i] < EK_IDENTITY_TABLE ? characters[i] : EK_IDENTITY_TABLE - 1];
    } else {
        return EK_BAD_ARGUMENT;
    }
    return EK_OK;
}

ek_status ek_bigrams(const int32_t *identities, size_t length, uint32_t buckets, int32_t *bigrams)
{
    uint32_t before = EK_EDGE, shift = 32, size = buckets;
    size_t i;
    if (buckets < 2 || buckets > 1u << 24 || (buckets & (buckets - 1)) != 0) return EK_BAD_ARGUMENT;
    if (length > 0 && (identities == NULL || bigrams == NULL)) return EK_BAD_ARGUMENT;
    for (; size > 1; size >>= 1) shift--;
    for (i = 0; i < length; i++) {
        uint32_t now = (uint32_t)identities[i];
        bigrams[i] = (int32_t)((now * 0x9E3779B1u + before * 0x85EBCA77u) >> shift);
        before = now;
    }
    return EK_OK;
}

static int is_letter(int32_t identity)
{
    return identity == EK_LETTER || (identity >= EK_FIRST_LETTER && identity < EK_FIRST_KNOWN);
}

ek_status ek_inside_words(const int32_t *identities, size_t length, uint8_t *inside, size_t *count)
{
    size_t i;
    if (count == NULL || (length > 0 && (identities == NULL || inside == NULL))) return EK_BAD_ARGUMENT;
    *count = 0;
    for (i = 0; i < length; i++) {
        int32_t now = identities[i], before = i > 0 ? identities[i - 1] : EK_EDGE;
        inside[i] = (now == EK_MARK && before != EK_EDGE) || (now == EK_DIGIT && before == EK_DIGIT) ||
                    (is_letter(now) && is_letter(before));
        *count += inside[i];
    }
    return EK_OK;
}

ek_status ek_lexicon_features(size_t length, ek_words words, int32_t *features)
{
    size_t i, at;
    if (length > INT32_MAX || (length > 0 && features == NULL)) return EK_BAD_ARGUMENT;
    if (words.count > 0 && (words.starts == NULL || words.ends == NULL)) return EK_BAD_ARGUMENT;
    if (length > 0) memset(features, 0, length * sizeof *features);
    for (i = 0; i < words.count; i++) {
        int32_t start = words.starts[i], end = words.ends[i], level, *place;
        if (start < 0 || end <= start || (size_t)end > length) return EK_OUT_OF_RANGE;
        if (end - start < 2) continue;
        level = (end - start < LONGEST ? end - start : LONGEST) - 1;
        place = features + start;
        if (*place / BEGINS < level) *place += (level - *place / BEGINS) * BEGINS;
        place = features + end - 1;
        if (*place % INSIDE < level) *place += level - *place % INSIDE;
        for (at = (size_t)start + 1; at + 1 < (size_t)end; at++) {
            int32_t now = features[at] % BEGINS / INSIDE;
            if (now < level - 1) features[at] += (level - 1 - now) * INSIDE;
        }
    }
    return EK_OK;
}
