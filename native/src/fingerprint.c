#include "edge_kernels/fingerprint.h"

#include <string.h>

#include "mix.h"

enum { MAX_GRAM_BYTES = 4 * EK_MAX_NGRAM, BATCH = 128 };

/* String hashes on their way into a minimum; they are mixed in batches so that the vectors stay in registers. */
typedef struct minhash {
    const ek_hash_scheme *scheme;
    const uint32_t *constants;
    ek_mix_min *mix_min;
    uint32_t *minimum;
    size_t n;
    uint32_t hashes[BATCH];
} minhash;

static void flush(minhash *m) {
    const size_t n_hashes = m->scheme->n_hashes;
    m->mix_min(m->hashes, m->n, m->constants, m->constants + n_hashes, n_hashes, m->minimum);
    m->n = 0;
}

static void add(minhash *m, const char *data, size_t size) {
    if (m->n == BATCH) flush(m);
    m->hashes[m->n++] = ek_string_hash(data, size, m->scheme->seed);
}

/* N-grams are taken from a unit as if it stood between a byte 2 and a byte 3: position 0 is the opening byte,
 * position p in 1 to size is unit byte p - 1, position size + 1 the closing byte. Nothing is copied but the few
 * n-grams that touch an end. */
static void add_gram(minhash *m, ek_text unit, size_t from, size_t to) {
    const size_t opens = from == 0, closes = to == unit.size + 2;
    const char *data = unit.data + (from - 1 + opens);
    const size_t size = to - from - opens - closes;
    if (!opens && !closes) {
        add(m, data, size);
        return;
    }
    char wrapped[MAX_GRAM_BYTES + 2];
    size_t n = 0;
    if (opens) wrapped[n++] = 2;
    memcpy(wrapped + n, data, size);
    n += size;
    if (closes) wrapped[n++] = 3;
    add(m, wrapped, n);
}

/* The position after the code point at `position`, which is before `end`. A code point takes at most four bytes,
 * whatever the text holds. */
static size_t next(ek_text unit, size_t position, size_t end) {
    size_t after = position + 1;
    if (position == 0) return after;
    const size_t last = unit.size + 1 < end ? unit.size + 1 : end;
    while (after < last && after < position + 4 && ((uint8_t)unit.data[after - 1] & 0xC0) == 0x80) after++;
    return after;
}

static void add_grams(minhash *m, ek_text unit) {
    const size_t begin = m->scheme->boundaries ? 0 : 1, end = unit.size + (m->scheme->boundaries ? 2 : 1);
    size_t first_to = begin; /* where the first n-gram ends */
    for (uint32_t n = 1; n <= m->scheme->ngram_max; n++) {
        if (first_to == end) { /* the unit is shorter than n */
            if (n <= m->scheme->ngram_min) add_gram(m, unit, begin, end);
            return;
        }
        first_to = next(unit, first_to, end);
        if (n < m->scheme->ngram_min) continue;
        size_t from = begin, to = first_to;
        add_gram(m, unit, from, to);
        while (to < end) {
            from = next(unit, from, end);
            to = next(unit, to, end);
            add_gram(m, unit, from, to);
        }
    }
}

/* One token into m->minimum. */
static void fingerprint(minhash *m, const ek_text *units, size_t n_units) {
    memset(m->minimum, 0xFF, m->scheme->n_hashes * sizeof *m->minimum);
    for (size_t u = 0; u < n_units; u++) {
        const ek_text unit = units[u];
        if (unit.size == 0) continue;
        if (u > 0 && unit.size >= 2 && unit.data[0] == '#' && unit.data[1] == '#')
            add(m, unit.data, unit.size);
        else
            add_grams(m, unit);
    }
    flush(m);
}

/* Adds one for each value; `stop` keeps a full counter from wrapping. Inlined with a constant `stop`. */
static inline void tally(const uint32_t *values, size_t n, uint32_t n_features, int stop, uint8_t *counts) {
    const uint32_t mask = n_features - 1;
    const int power_of_two = (n_features & mask) == 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t *c = counts + (power_of_two ? values[i] & mask : values[i] % n_features);
        *c = (uint8_t)(*c + (stop ? *c != UINT8_MAX : 1));
    }
}

static void count(const uint32_t *values, size_t n_hashes, uint32_t n_features, uint8_t *counts) {
    memset(counts, 0, n_features);
    size_t i = 0;
    while (i < n_hashes && values[i] == UINT32_MAX) i++;
    if (i == n_hashes) return; /* a token without strings */
    const size_t safe = n_hashes < UINT8_MAX ? n_hashes : UINT8_MAX; /* no counter passes 255 in so many steps */
    tally(values, safe, n_features, 0, counts);
    tally(values + safe, n_hashes - safe, n_features, 1, counts);
}

static ek_status check(const ek_hash_scheme *scheme, const uint32_t *constants, const ek_text *units, size_t n_units,
                       const size_t *ends, size_t n_tokens) {
    if (!scheme || !constants || (n_units && !units) || (n_tokens && !ends)) return EK_BAD_ARGUMENT;
    if (scheme->n_hashes < 1 || scheme->n_hashes > EK_MAX_HASHES) return EK_BAD_ARGUMENT;
    if (scheme->ngram_min < 1 || scheme->ngram_max < scheme->ngram_min || scheme->ngram_max > EK_MAX_NGRAM)
        return EK_BAD_ARGUMENT;
    for (size_t t = 0, begin = 0; t < n_tokens; begin = ends[t++])
        if (ends[t] < begin || ends[t] > n_units) return EK_BAD_ARGUMENT;
    return EK_OK;
}

ek_status ek_fingerprints(const ek_hash_scheme *scheme, const uint32_t *constants, const ek_text *units,
                          size_t n_units, const size_t *ends, size_t n_tokens, uint32_t *fingerprints) {
    const ek_status status = check(scheme, constants, units, n_units, ends, n_tokens);
    if (status != EK_OK) return status;
    if (n_tokens && !fingerprints) return EK_BAD_ARGUMENT;
    minhash m;
    m.scheme = scheme, m.constants = constants, m.mix_min = ek_pick_mix_min(), m.n = 0;
    for (size_t t = 0, begin = 0; t < n_tokens; begin = ends[t++]) {
        m.minimum = fingerprints + t * scheme->n_hashes;
        fingerprint(&m, units + begin, ends[t] - begin);
    }
    return EK_OK;
}

ek_status ek_bloom_counts(const uint32_t *fingerprints, size_t n_tokens, size_t n_hashes, size_t n_features,
                          uint8_t *features) {
    if (n_tokens && (!fingerprints || !features)) return EK_BAD_ARGUMENT;
    if (n_hashes < 1 || n_features < 1 || n_features > EK_MAX_FEATURES) return EK_BAD_ARGUMENT;
    for (size_t t = 0; t < n_tokens; t++)
        count(fingerprints + t * n_hashes, n_hashes, (uint32_t)n_features, features + t * n_features);
    return EK_OK;
}

ek_status ek_project(const ek_hash_scheme *scheme, const uint32_t *constants, const ek_text *units, size_t n_units,
                     const size_t *ends, size_t n_tokens, size_t n_features, uint32_t *scratch, uint8_t *features) {
    const ek_status status = check(scheme, constants, units, n_units, ends, n_tokens);
    if (status != EK_OK) return status;
    if (n_tokens && (!scratch || !features)) return EK_BAD_ARGUMENT;
    if (n_features < 1 || n_features > EK_MAX_FEATURES) return EK_BAD_ARGUMENT;
    minhash m;
    m.scheme = scheme, m.constants = constants, m.mix_min = ek_pick_mix_min(), m.minimum = scratch, m.n = 0;
    for (size_t t = 0, begin = 0; t < n_tokens; begin = ends[t++]) {
        fingerprint(&m, units + begin, ends[t] - begin);
        count(scratch, scheme->n_hashes, (uint32_t)n_features, features + t * n_features);
    }
    return EK_OK;
}
