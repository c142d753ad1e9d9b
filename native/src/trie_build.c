/* Building a trie: characters to codes, words sorted and merged, nodes found, nodes placed, bytes written. */
#include "edge_kernels/hash.h"
#include "trie_place.h"

/* Hands out pieces of the caller's scratch memory. */
typedef struct arena {
    uint8_t *next;
    size_t left;
} arena;

static void *take(arena *scratch, size_t count, size_t item) {
    size_t size = (count * item + 7) & ~(size_t)7;
    if (size > scratch->left) return NULL;
    void *piece = scratch->next;
    scratch->next += size;
    scratch->left -= size;
    return piece;
}
#define TAKE(name, count)                                                                                             \
    if (((name) = take(scratch, (count), sizeof *(name))) == NULL) return EK_TOO_SMALL

typedef struct builder {
    const ek_trie_words *words;
    /* alphabet */
    uint32_t *code_points;
    uint32_t n_codes, n_page_index, n_pages;
    uint16_t *page_index, *pages;
    /* words as symbols: word i is symbols[starts[i], starts[i + 1]); order: distinct words, sorted */
    uint16_t *symbols;
    uint32_t *starts, *order;
    uint32_t n_words, n_symbols, max_length;
    ek_edges edges;
} builder;

static ek_status check_words(const ek_trie_words *words, size_t *length) {
    if (words == NULL || (words->count > 0 && (!words->text || !words->ends || !words->values))) return EK_BAD_ARGUMENT;
    if (words->value_kind != EK_TRIE_INT32 && words->value_kind != EK_TRIE_FLOAT32) return EK_BAD_ARGUMENT;
    *length = 0;
    for (size_t i = 0; i < words->count; i++) {
        if (words->ends[i] <= *length) return EK_BAD_ARGUMENT;
        *length = words->ends[i];
    }
    if (words->count > INT32_MAX || *length > INT32_MAX / 3) return EK_BAD_ARGUMENT;
    for (size_t i = 0; i < *length; i++)
        if (words->text[i] >= EK_CODE_POINTS) return EK_OUT_OF_RANGE;
    return EK_OK;
}

static int in_use(const uint64_t *used, uint32_t code_point) { return (int)(used[code_point / 64] >> code_point % 64 & 1); }

static int page_in_use(const uint64_t *used, uint32_t page) {
    const uint64_t *bits = used + page * (EK_PAGE / 64);
    return (bits[0] | bits[1] | bits[2] | bits[3]) != 0;
}

/* The characters in use get codes in code point order; page 0 stays for characters that are in no word. */
static ek_status find_alphabet(builder *b, size_t length, arena *scratch) {
    uint64_t *used; /* a bit for each code point */
    TAKE(used, EK_CODE_POINTS / 64);
    memset(used, 0, EK_CODE_POINTS / 8);
    for (size_t i = 0; i < length; i++) used[b->words->text[i] / 64] |= (uint64_t)1 << b->words->text[i] % 64;
    uint32_t distinct = 0;
    b->n_page_index = 0;
    b->n_pages = 1;
    for (uint32_t page = 0; page < EK_CODE_POINTS / EK_PAGE; page++) {
        if (!page_in_use(used, page)) continue;
        for (uint32_t i = 0; i < EK_PAGE; i++) distinct += (uint32_t)in_use(used, page * EK_PAGE + i);
        b->n_page_index = page + 1;
        b->n_pages++;
    }
    b->n_codes = distinct < EK_TRIE_DIRECT ? distinct : EK_TRIE_DIRECT;
    TAKE(b->code_points, b->n_codes);
    TAKE(b->page_index, b->n_page_index);
    TAKE(b->pages, (size_t)b->n_pages * EK_PAGE);
    for (size_t i = 0; i < (size_t)b->n_pages * EK_PAGE; i++) b->pages[i] = EK_UNKNOWN;
    uint32_t code = 0, pages = 0;
    for (uint32_t page = 0; page < b->n_page_index; page++) {
        b->page_index[page] = (uint16_t)(page_in_use(used, page) ? ++pages : 0);
        if (b->page_index[page] == 0) continue;
        for (uint32_t i = 0; i < EK_PAGE; i++) {
            if (!in_use(used, page * EK_PAGE + i)) continue;
            uint16_t *entry = &b->pages[pages * EK_PAGE + i];
            if (code == b->n_codes) {
                *entry = EK_RARE;
                continue;
            }
            b->code_points[code] = page * EK_PAGE + i;
            *entry = (uint16_t)++code;
        }
    }
    return EK_OK;
}

static ek_status spell_words(builder *b, size_t length, arena *scratch) {
    TAKE(b->starts, b->words->count + 1);
    b->symbols = (uint16_t *)(void *)scratch->next; /* grows to its true size, which is then taken */
    if (scratch->left / (3 * sizeof *b->symbols) < length) return EK_TOO_SMALL;
    uint32_t n = 0, first = b->n_codes + 1;
    size_t i = 0;
    for (size_t word = 0; word < b->words->count; word++) {
        uint32_t word_length = (uint32_t)(b->words->ends[word] - i);
        if (word_length > b->max_length) b->max_length = word_length;
        b->starts[word] = n;
        for (; i < b->words->ends[word]; i++) {
            uint32_t x = b->words->text[i];
            uint16_t code = b->pages[b->page_index[x / EK_PAGE] * EK_PAGE + x % EK_PAGE];
            if (code == EK_RARE) {
                b->symbols[n++] = (uint16_t)(first + (x >> 14));
                b->symbols[n++] = (uint16_t)(first + 68 + (x >> 7 & 127));
                code = (uint16_t)(first + 196 + (x & 127));
            }
            b->symbols[n++] = code;
        }
    }
    b->starts[b->words->count] = b->n_symbols = n;
    TAKE(b->symbols, n);
    return EK_OK;
}

/* A word with its first four symbols, which decide most comparisons without touching the word. */
typedef struct sort_key {
    uint64_t head;
    uint32_t word;
} sort_key;

static int compare(const builder *b, const sort_key *x, const sort_key *y) {
    if (x->head != y->head) return x->head < y->head ? -1 : 1;
    uint32_t i = b->starts[x->word] + 4, j = b->starts[y->word] + 4;
    uint32_t x_end = b->starts[x->word + 1], y_end = b->starts[y->word + 1];
    for (; i < x_end && j < y_end; i++, j++)
        if (b->symbols[i] != b->symbols[j]) return b->symbols[i] < b->symbols[j] ? -1 : 1;
    return (i < x_end) - (j < y_end);
}

/* Merge sort, because it is stable: the last of equal words is the one to keep. */
static ek_status sort_words(builder *b, arena *scratch) {
    uint32_t n = (uint32_t)b->words->count;
    sort_key *from, *to;
    TAKE(b->order, n);
    TAKE(from, n);
    TAKE(to, n);
    for (uint32_t word = 0; word < n; word++) {
        uint32_t start = b->starts[word], length = b->starts[word + 1] - start;
        uint64_t head = 0;
        for (uint32_t i = 0; i < 4; i++) head = head << 14 | (i < length ? b->symbols[start + i] : 0u);
        from[word].head = head;
        from[word].word = word;
    }
    for (uint32_t width = 1; width < n; width *= 2) {
        for (uint32_t low = 0; low < n; low += 2 * width) {
            uint32_t middle = n - low > width ? low + width : n, high = n - low > 2 * width ? low + 2 * width : n;
            uint32_t i = low, j = middle, k = low;
            if (middle < high && compare(b, &from[middle - 1], &from[middle]) > 0)
                while (i < middle && j < high) to[k++] = compare(b, &from[i], &from[j]) <= 0 ? from[i++] : from[j++];
            while (i < middle) to[k++] = from[i++];
            while (j < high) to[k++] = from[j++];
        }
        sort_key *swap = from;
        from = to;
        to = swap;
    }
    b->n_words = 0;
    for (uint32_t i = 0; i < n; i++)
        if (i + 1 == n || compare(b, &from[i], &from[i + 1]) != 0) b->order[b->n_words++] = from[i].word;
    return EK_OK;
}

static uint32_t length_of(const builder *b, uint32_t word) { return b->starts[word + 1] - b->starts[word]; }

/* How many symbols two words have in common at their beginning. */
static uint32_t common(const builder *b, uint32_t x, uint32_t y) {
    uint32_t i = 0, most = length_of(b, x) < length_of(b, y) ? length_of(b, x) : length_of(b, y);
    while (i < most && b->symbols[b->starts[x] + i] == b->symbols[b->starts[y] + i]) i++;
    return i;
}

/* The inner nodes, breadth first, are the root and the prefixes that two words share; each has an edge for every
 * symbol that follows it. An edge with one word below leads to a leaf. */
static ek_status find_edges(builder *b, arena *scratch) {
    ek_edges *e = &b->edges;
    uint32_t previous = 0;
    e->n_nodes = 1;
    for (uint32_t i = 0; i + 1 < b->n_words; i++) {
        uint32_t shared = common(b, b->order[i], b->order[i + 1]);
        if (shared > previous) e->n_nodes += shared - previous;
        previous = shared;
    }
    e->n_edges = e->n_nodes - 1 + b->n_words;
    uint32_t *low, *high, *depth;
    TAKE(e->first, (size_t)e->n_nodes + 1);
    TAKE(e->symbol, e->n_edges);
    TAKE(e->target, e->n_edges);
    TAKE(e->slot, e->n_edges);
    TAKE(low, e->n_nodes);
    TAKE(high, e->n_nodes);
    TAKE(depth, e->n_nodes);
    low[0] = depth[0] = 0;
    high[0] = b->n_words;
    uint32_t n_nodes = 1, n_edges = 0;
    for (uint32_t node = 0; node < e->n_nodes; node++) {
        e->first[node] = n_edges;
        for (uint32_t i = low[node], j; i < high[node]; i = j) {
            uint32_t at = depth[node];
            uint32_t symbol = at < length_of(b, b->order[i]) ? b->symbols[b->starts[b->order[i]] + at] : 0;
            /* words that end here come first, and there is one of them */
            for (j = i + 1; symbol != 0 && j < high[node]; j++)
                if (b->symbols[b->starts[b->order[j]] + at] != symbol) break;
            e->symbol[n_edges] = (uint16_t)symbol;
            e->target[n_edges++] = j - i > 1 ? n_nodes : e->n_nodes + i;
            if (j - i > 1) {
                low[n_nodes] = i;
                high[n_nodes] = j;
                depth[n_nodes++] = at + 1;
            }
        }
    }
    e->first[e->n_nodes] = n_edges;
    /* a leaf's word has a tail behind the symbol of its edge: remember how deep that is */
    TAKE(e->depth, e->n_edges);
    for (uint32_t node = 0; node < e->n_nodes; node++)
        for (uint32_t i = e->first[node]; i < e->first[node + 1]; i++)
            e->depth[i] = depth[node] + (e->symbol[i] != 0);
    return EK_OK;
}

static ek_status write_trie(const builder *b, arena *scratch, uint8_t *out, size_t capacity, size_t *size) {
    const ek_edges *e = &b->edges;
    uint32_t n_slots = e->n_slots, n_tails = 0, *edge_at;
    for (uint32_t i = 0; i < e->n_edges; i++)
        if (e->target[i] >= e->n_nodes) n_tails += length_of(b, b->order[e->target[i] - e->n_nodes]) - e->depth[i];
    size_t blocks = ((size_t)n_slots + 31) / 32;
    size_t total = EK_HEADER + 6 * (size_t)n_slots + 8 * blocks + 4 * (size_t)b->n_codes +
                   2 * ((size_t)n_tails + b->n_page_index + (size_t)b->n_pages * EK_PAGE);
    *size = total;
    if (total > capacity) return EK_TOO_SMALL;
    TAKE(edge_at, n_slots);
    memset(edge_at, 0xFF, n_slots * sizeof *edge_at);
    for (uint32_t i = 0; i < e->n_edges; i++) edge_at[e->slot[i]] = i;

    uint8_t *values = out + EK_HEADER, *tails_of = values + 4 * (size_t)n_slots, *code_points = tails_of + 8 * blocks;
    uint8_t *checks = code_points + 4 * (size_t)b->n_codes, *tails = checks + 2 * (size_t)n_slots;
    uint8_t *page_index = tails + 2 * (size_t)n_tails, *pages = page_index + 2 * (size_t)b->n_page_index;
    memset(out, 0, EK_HEADER);
    memset(tails_of, 0, 8 * blocks);
    uint32_t tail = 0, bits = 0;
    for (uint32_t slot = 0; slot < n_slots; slot++) {
        uint32_t edge = edge_at[slot], value = 0, check = EK_RARE;
        if (slot % 32 == 0) {
            ek_store32(tails_of, slot / 16, tail);
            bits = 0;
        }
        if (edge != EK_NO_SLOT) {
            check = e->symbol[edge];
            if (e->moved[edge]) check |= EK_MOVED;
            if (e->target[edge] < e->n_nodes) {
                uint32_t node = e->target[edge];
                value = e->base[node] | (e->symbol[e->first[node]] == 0 ? EK_WORD_HERE : 0);
            } else {
                uint32_t word = b->order[e->target[edge] - e->n_nodes];
                check |= EK_LEAF;
                value = b->words->values[word];
                uint32_t from = b->starts[word] + e->depth[edge], to = b->starts[word + 1];
                if (from < to) bits |= 1u << slot % 32;
                for (; from < to; from++)
                    ek_store16(tails, tail++, (uint16_t)(b->symbols[from] | (from + 1 == to ? EK_LEAF : 0)));
            }
        }
        ek_store32(values, slot, value);
        ek_store16(checks, slot, (uint16_t)check);
        ek_store32(tails_of, slot / 32 * 2 + 1, bits);
    }
    for (uint32_t i = 0; i < b->n_codes; i++) ek_store32(code_points, i, b->code_points[i]);
    for (uint32_t i = 0; i < b->n_page_index; i++) ek_store16(page_index, i, b->page_index[i]);
    for (size_t i = 0; i < (size_t)b->n_pages * EK_PAGE; i++) ek_store16(pages, i, b->pages[i]);

    const uint32_t sizes[] = {b->n_words, n_slots, n_tails, b->n_codes, b->n_page_index, b->n_pages, b->max_length,
                              e->base[0]};
    memcpy(out, EK_TRIE_MAGIC, 8);
    ek_store32(out, 4, 1);
    ek_store32(out, 5, b->words->value_kind);
    ek_store64(out, 3, total);
    for (size_t i = 0; i < 8; i++) ek_store32(out, 8 + i, sizes[i]);
    ek_store64(out, 1, ek_xxh64(out + 16, total - 16, 0));
    return EK_OK;
}

void ek_trie_build_sizes(size_t count, size_t length, size_t *scratch, size_t *output) {
    size_t edges = count + length, slots = 2 * edges + 65536;
    size_t pages = length < EK_CODE_POINTS / EK_PAGE ? length + 1 : EK_CODE_POINTS / EK_PAGE;
    *scratch = EK_CODE_POINTS / 8 + 2 * EK_PAGE * pages + 4 * EK_TRIE_DIRECT + 65536 + 6 * length + 48 * count +
               22 * edges + 24 * edges + 5 * slots;
    *output = EK_HEADER + 7 * slots + 6 * length + 2 * EK_PAGE * pages + 4 * EK_TRIE_DIRECT + 65536;
}

ek_status ek_trie_build(const ek_trie_words *words, void *scratch, size_t scratch_size, void *output,
                        size_t capacity, size_t *size) {
    size_t length;
    ek_status status = check_words(words, &length);
    if (status != EK_OK) return status;
    if (scratch == NULL || output == NULL || size == NULL || (uintptr_t)scratch % 8 != 0) return EK_BAD_ARGUMENT;
    arena memory = {scratch, scratch_size};
    builder b;
    memset(&b, 0, sizeof b);
    b.words = words;
    *size = 0;
    if ((status = find_alphabet(&b, length, &memory)) != EK_OK) return status;
    if ((status = spell_words(&b, length, &memory)) != EK_OK) return status;
    if ((status = sort_words(&b, &memory)) != EK_OK) return status;
    if ((status = find_edges(&b, &memory)) != EK_OK) return status;
    ek_edges *e = &b.edges;
    if ((e->base = take(&memory, e->n_nodes, sizeof *e->base)) == NULL) return EK_TOO_SMALL;
    if ((e->moved = take(&memory, e->n_edges, sizeof *e->moved)) == NULL) return EK_TOO_SMALL;
    size_t used = ek_place_nodes(e, memory.next, memory.left);
    if (used == 0) return EK_TOO_SMALL;
    return write_trie(&b, &memory, output, capacity, size);
}
