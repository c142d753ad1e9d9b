/* The trie against a list of words searched one by one; damaged tries; the overlay against the list changed. */
#include "check.h"
#include "edge_kernels.h"

enum { MAX_WORDS = 64, MAX_WORD = 12, MAX_TEXT = 80 };

typedef struct word {
    uint32_t text[MAX_WORD];
    size_t length;
    uint32_t value;
} word;

typedef struct lexicon {
    word words[MAX_WORDS];
    size_t count;
} lexicon;

static const uint32_t ALPHABETS[][6] = {{'a', 'b', 'a', 'b', 'a', 'b'},
                                        {0x4E2D, 0x56FD, 0x4EBA, 'x', 0x10FFFF, 0},
                                        {0xD800, 0xFF, 0x100, 0xFFFF, 0x10000, 0x41}};

static void random_text(const uint32_t *alphabet, uint32_t *text, size_t length) {
    for (size_t i = 0; i < length; i++) text[i] = alphabet[check_random(6)];
}

static ek_ucs ucs(const uint32_t *text, size_t length) {
    ek_ucs view = {text, length, 4};
    return view;
}

static word *find(lexicon *l, const uint32_t *text, size_t length) {
    for (size_t i = 0; i < l->count; i++)
        if (l->words[i].length == length && memcmp(l->words[i].text, text, 4 * length) == 0) return &l->words[i];
    return NULL;
}

static void put(lexicon *l, const uint32_t *text, size_t length, uint32_t value) {
    word *w = find(l, text, length);
    if (w == NULL) {
        w = &l->words[l->count++];
        memcpy(w->text, text, 4 * length);
        w->length = length;
    }
    w->value = value;
}

/* Builds with buffers of exactly the size needed, so that the address sanitizer sees every byte too far. */
static uint8_t *build(const lexicon *l, size_t *size) {
    uint32_t text[MAX_WORDS * MAX_WORD], values[MAX_WORDS];
    size_t ends[MAX_WORDS], at = 0, scratch_size, capacity;
    for (size_t i = 0; i < l->count; i++) {
        memcpy(text + at, l->words[i].text, 4 * l->words[i].length);
        ends[i] = at += l->words[i].length;
        values[i] = l->words[i].value;
    }
    ek_trie_words words = {text, ends, values, l->count, EK_TRIE_INT32};
    ek_trie_build_sizes(l->count, at, &scratch_size, &capacity);
    void *scratch = malloc(scratch_size);
    uint8_t *output = malloc(capacity);
    CHECK(scratch && output);
    CHECK(ek_trie_build(&words, scratch, scratch_size, output, capacity, size) == EK_OK);
    uint8_t *exact = malloc(*size);
    CHECK(exact);
    memcpy(exact, output, *size);
    CHECK(ek_trie_build(&words, scratch, scratch_size, output, *size - 1, size) == EK_TOO_SMALL);
    CHECK(ek_trie_build(&words, scratch, 1000, output, capacity, size) == EK_TOO_SMALL);
    CHECK(ek_trie_build(&words, scratch, scratch_size, output, capacity, size) == EK_OK);
    CHECK(memcmp(exact, output, *size) == 0);
    free(scratch);
    free(output);
    return exact;
}

/* All matches, by way of a buffer of `capacity`; overlay may be NULL. */
static size_t all_matches(const ek_trie *trie, const ek_overlay *overlay, ek_ucs text, size_t capacity, int32_t *rows) {
    int32_t *starts = malloc(4 * capacity), *ends = malloc(4 * capacity);
    uint32_t *values = malloc(4 * capacity);
    size_t position = 0, n = 0;
    CHECK(starts && ends && values);
    do {
        ek_matches found = {starts, ends, values, capacity, 0};
        CHECK((overlay ? ek_overlay_matches(trie, overlay, text, &position, &found)
                       : ek_trie_matches(trie, text, &position, &found)) == EK_OK);
        for (size_t i = 0; i < found.count; i++, n++) {
            rows[3 * n] = starts[i];
            rows[3 * n + 1] = ends[i];
            rows[3 * n + 2] = (int32_t)values[i];
        }
    } while (position < text.length);
    free(starts);
    free(ends);
    free(values);
    return n;
}

static void compare(lexicon *l, const ek_trie *trie, const ek_overlay *overlay, const uint32_t *alphabet) {
    static int32_t rows[3 * MAX_TEXT * MAX_WORD];
    uint32_t text[MAX_TEXT], value;
    size_t length = check_random(MAX_TEXT), n = 0, end;
    int found;
    random_text(alphabet, text, length);
    size_t count = all_matches(trie, overlay, ucs(text, length), 2 * MAX_WORD, rows);
    for (size_t start = 0; start < length; start++) {
        size_t longest = start;
        for (size_t stop = start + 1; stop <= length && stop - start <= MAX_WORD; stop++) {
            const word *w = find(l, text + start, stop - start);
            ek_ucs view = ucs(text + start, stop - start);
            CHECK((overlay ? ek_overlay_get(trie, overlay, view, &value, &found)
                           : ek_trie_get(trie, view, &value, &found)) == EK_OK);
            CHECK(found == (w != NULL) && (!w || value == w->value));
            if (w == NULL) continue;
            CHECK(n < count && rows[3 * n] == (int32_t)start && rows[3 * n + 1] == (int32_t)stop &&
                  rows[3 * n + 2] == (int32_t)w->value);
            longest = stop;
            n++;
        }
        CHECK((overlay ? ek_overlay_longest(trie, overlay, ucs(text, length), start, &end, &value)
                       : ek_trie_longest(trie, ucs(text, length), start, &end, &value)) == EK_OK);
        CHECK(end == longest);
    }
    CHECK(n == count);
}

static int before(const word *a, const uint32_t *text, size_t length) {
    for (size_t i = 0; i < a->length && i < length; i++)
        if (a->text[i] != text[i]) return a->text[i] < text[i];
    return a->length < length;
}

static size_t walk_all(const ek_trie *trie, const uint32_t *prefix, size_t length, lexicon *l) {
    uint32_t *path = malloc(4 * 2 * (3 * (size_t)trie->max_length + 1));
    uint32_t *text = malloc(4 * (length + trie->max_length + 3)), value;
    ek_trie_walk walk;
    size_t n = 0, size;
    int found;
    word last = {{0}, 0, 0};
    CHECK(path && text);
    CHECK(ek_trie_walk_begin(&walk, trie, ucs(prefix, length), path, text) == EK_OK);
    for (;; n++) {
        ek_status status = ek_trie_walk_next(&walk, &size, &value, &found);
        CHECK(status == EK_OK || (l == NULL && status == EK_CORRUPT));
        if (status != EK_OK || !found) break;
        if (l == NULL) continue;
        const word *w = find(l, text, size);
        CHECK(w != NULL && w->value == value && (length == 0 || memcmp(text, prefix, 4 * length) == 0));
        CHECK(n == 0 || before(&last, text, size));
        last = *w;
    }
    free(path);
    free(text);
    return n;
}

static void test_against_list(void) {
    for (int round = 0; round < 200; round++) {
        lexicon l = {.count = 0};
        const uint32_t *alphabet = ALPHABETS[check_random(3)];
        uint32_t text[MAX_WORD], n = check_random(MAX_WORDS);
        for (uint32_t i = 0; i < n; i++) {
            size_t length = 1 + check_random(check_random(2) ? 3 : MAX_WORD);
            random_text(alphabet, text, length);
            put(&l, text, length, check_random(1000));
        }
        size_t size;
        uint8_t *data = build(&l, &size);
        ek_trie trie;
        CHECK(ek_trie_open(&trie, data, size, 0) == EK_OK && trie.n_words == l.count);
        for (int i = 0; i < 4; i++) compare(&l, &trie, NULL, alphabet);
        CHECK(walk_all(&trie, NULL, 0, &l) == l.count);
        random_text(alphabet, text, 2);
        size_t expected = 0;
        for (size_t i = 0; i < l.count; i++) expected += l.words[i].length >= 2 && !memcmp(l.words[i].text, text, 8);
        CHECK(walk_all(&trie, text, 2, &l) == expected);

        uint32_t capacity = 8;
        void *memory = malloc(ek_overlay_size(capacity));
        ek_overlay overlay;
        CHECK(memory && ek_overlay_init(&overlay, memory, capacity) == EK_OK);
        while (l.count < MAX_WORDS - 1 && check_random(20) != 0) {
            size_t length = 1 + check_random(4);
            uint32_t value = check_random(1000);
            int removed = check_random(3) == 0;
            random_text(alphabet, text, length);
            while (ek_overlay_put(&overlay, ucs(text, length), value, removed) == EK_TOO_SMALL) {
                ek_overlay larger;
                void *more = malloc(ek_overlay_size(capacity *= 2));
                CHECK(more && ek_overlay_init(&larger, more, capacity) == EK_OK);
                CHECK(ek_overlay_copy(&larger, &overlay) == EK_OK);
                free(memory);
                memory = more;
                overlay = larger;
            }
            word *w = find(&l, text, length);
            if (!removed) put(&l, text, length, value);
            else if (w != NULL) *w = l.words[--l.count];
        }
        for (int i = 0; i < 4; i++) compare(&l, &trie, &overlay, alphabet);
        for (uint32_t i = 1; i <= overlay.n_nodes; i++) {
            int removed;
            uint32_t value;
            size_t length;
            CHECK(ek_overlay_change(&overlay, i, text, MAX_WORD, &length, &value, &removed) == EK_OK);
            if (length == 0) continue;
            const word *w = find(&l, text + MAX_WORD - length, length);
            CHECK(removed ? w == NULL : w != NULL && w->value == value);
        }
        free(memory);
        free(data);
    }
}

/* More characters than have codes of their own. */
static void test_large_alphabet(void) {
    enum { N = 20000 };
    uint32_t *text = malloc(4 * (2 * N)), *values = malloc(4 * N), value;
    size_t *ends = malloc(sizeof(size_t) * N), scratch_size, capacity, size;
    CHECK(text && values && ends);
    for (uint32_t i = 0; i < N; i++) {
        text[2 * i] = 0x3000 + i;
        text[2 * i + 1] = 0x3000 + (i * 7) % N;
        ends[i] = 2 * i + 2;
        values[i] = i;
    }
    ek_trie_words words = {text, ends, values, N, EK_TRIE_INT32};
    ek_trie_build_sizes(N, 2 * N, &scratch_size, &capacity);
    void *scratch = malloc(scratch_size), *output = malloc(capacity);
    ek_trie trie;
    CHECK(scratch && output && ek_trie_build(&words, scratch, scratch_size, output, capacity, &size) == EK_OK);
    CHECK(ek_trie_open(&trie, output, size, 0) == EK_OK && trie.n_codes == EK_TRIE_DIRECT);
    int found;
    for (uint32_t i = 0; i < N; i++) {
        CHECK(ek_trie_get(&trie, ucs(text + 2 * i, 2), &value, &found) == EK_OK && found && value == i);
        CHECK(ek_trie_get(&trie, ucs(text + 2 * i, 1), &value, &found) == EK_OK && !found);
    }
    free(text), free(values), free(ends), free(scratch), free(output);
}

/* Whatever the bytes are: an error, or answers without a read outside the block, which lies at an odd address. */
static void test_damage(void) {
    static int32_t rows[3 * MAX_TEXT * MAX_TEXT];
    lexicon l = {.count = 0};
    uint32_t text[MAX_TEXT], value;
    for (int i = 0; i < 40; i++) {
        size_t length = 1 + check_random(MAX_WORD - 1);
        random_text(ALPHABETS[2], text, length);
        put(&l, text, length, (uint32_t)i);
    }
    size_t size, end;
    uint8_t *data = build(&l, &size);
    for (size_t i = 0; i < size; i++) { /* every byte, caught by the checksum or before */
        ek_trie trie;
        uint8_t flip = (uint8_t)(1 + check_random(255));
        data[i] ^= flip;
        CHECK(ek_trie_open(&trie, data, size, 0) != EK_OK);
        data[i] ^= flip;
    }
    int opened = 0;
    for (int round = 0; round < 5000; round++) {
        uint8_t *block = malloc(size + 1), *bad = block + 1;
        CHECK(block);
        memcpy(bad, data, size);
        for (uint32_t flips = 1 + check_random(4); flips > 0; flips--) {
            size_t at = check_random(3) ? 64 + check_random((uint32_t)size - 64) : check_random(64);
            bad[at] = (uint8_t)check_random(256);
        }
        ek_trie trie;
        if (ek_trie_open(&trie, bad, size, EK_TRIE_SKIP_CHECKSUM) == EK_OK) {
            opened++;
            int found;
            random_text(ALPHABETS[2], text, MAX_TEXT);
            all_matches(&trie, NULL, ucs(text, MAX_TEXT), MAX_TEXT, rows);
            CHECK(ek_trie_get(&trie, ucs(text, 4), &value, &found) == EK_OK);
            CHECK(ek_trie_longest(&trie, ucs(text, MAX_TEXT), 3, &end, &value) == EK_OK && end <= MAX_TEXT);
            walk_all(&trie, text, check_random(2), NULL);
        }
        free(block);
    }
    CHECK(opened > 1000);
    ek_trie trie;
    for (size_t cut = 0; cut < size; cut += 7) CHECK(ek_trie_open(&trie, data, cut, EK_TRIE_SKIP_CHECKSUM) == EK_CORRUPT);
    data[16] = 2;
    CHECK(ek_trie_open(&trie, data, size, EK_TRIE_SKIP_CHECKSUM) == EK_UNSUPPORTED);
    free(data);
}

static void test_text_kinds(void) {
    const uint8_t latin[] = {'c', 'a', 'f', 0xE9};
    const uint16_t two[] = {'c', 'a', 'f', 0xE9};
    const uint16_t utf16[] = {0x4E2D, 0xD83D, 0xDE00, 0xDC00, 'a'};
    ek_text utf8 = {"\xE4\xB8\xAD\xF0\x9F\x98\x80z", 8}, bad[] = {{"a\xC0\x80", 3}, {"a\xED\xA0\x80", 4}, {"a\xE4\xB8", 3}};
    uint32_t text[10], offsets[10], value;
    size_t length;
    int found;
    lexicon l = {.count = 0};
    for (size_t i = 0; i < 4; i++) text[i] = latin[i];
    put(&l, text, 4, 5);
    size_t size;
    uint8_t *data = build(&l, &size);
    ek_trie trie;
    CHECK(ek_trie_open(&trie, data, size, 0) == EK_OK);
    ek_ucs views[] = {{latin, 4, 1}, {two, 4, 2}, {text, 4, 4}, {text, 4, 3}};
    for (int i = 0; i < 3; i++) CHECK(ek_trie_get(&trie, views[i], &value, &found) == EK_OK && found && value == 5);
    CHECK(ek_trie_get(&trie, views[3], &value, &found) == EK_BAD_ARGUMENT);
    free(data);

    CHECK(ek_ucs_from_utf8(utf8, text, offsets, 9, &length) == EK_OK && length == 3);
    CHECK(text[0] == 0x4E2D && text[1] == 0x1F600 && text[2] == 'z' && offsets[1] == 3 && offsets[3] == 8);
    CHECK(ek_ucs_from_utf8(utf8, text, NULL, 3, &length) == EK_TOO_SMALL);
    for (int i = 0; i < 3; i++)
        CHECK(ek_ucs_from_utf8(bad[i], text, NULL, 9, &length) == EK_OUT_OF_RANGE && length == 1);
    CHECK(ek_ucs_from_utf16(utf16, 5, text, offsets, 9, &length) == EK_OK && length == 4);
    CHECK(text[1] == 0x1F600 && text[2] == 0xDC00 && offsets[2] == 3 && offsets[4] == 5);
}

static void test_arguments(void) {
    uint32_t text[] = {'a', 0x110000}, values[] = {1, 2}, buffer[64];
    size_t ends[] = {1, 2}, empty[] = {1, 1}, size;
    static uint64_t scratch[1 << 18];
    ek_trie_words good = {text, ends, values, 1, EK_TRIE_FLOAT32}, large = {text, ends, values, 2, EK_TRIE_INT32};
    ek_trie_words hollow = {text, empty, values, 2, EK_TRIE_INT32};
    uint8_t output[4096];
    CHECK(ek_trie_build(&good, scratch, sizeof scratch, output, sizeof output, &size) == EK_OK);
    CHECK(ek_trie_build(&large, scratch, sizeof scratch, output, sizeof output, &size) == EK_OUT_OF_RANGE);
    CHECK(ek_trie_build(&hollow, scratch, sizeof scratch, output, sizeof output, &size) == EK_BAD_ARGUMENT);
    CHECK(ek_trie_build(&good, NULL, 0, output, sizeof output, &size) == EK_BAD_ARGUMENT);
    ek_overlay overlay;
    CHECK(ek_overlay_init(&overlay, buffer, 4) == EK_OK);
    CHECK(ek_overlay_put(&overlay, ucs(text, 0), 1, 0) == EK_BAD_ARGUMENT);
    CHECK(ek_overlay_put(&overlay, ucs(text, 2), 1, 0) == EK_OUT_OF_RANGE);
    CHECK(ek_overlay_size(4) <= sizeof buffer);
}

int main(void) {
    test_against_list();
    test_large_alphabet();
    test_damage();
    test_text_kinds();
    test_arguments();
    return 0;
}
