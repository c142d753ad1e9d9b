#include "edge_kernels/labels.h"

#include <string.h>

static int kind_of(ek_text name) {
    if (name.size == 1 && name.data[0] == 'O') return EK_OUTSIDE;
    if (name.size < 3 || name.data[1] != '-') return -1;
    switch (name.data[0]) {
    case 'B': return EK_BEGIN;
    case 'I': return EK_INSIDE;
    case 'E': return EK_END;
    case 'S': return EK_SINGLE;
    default: return -1;
    }
}

static int same_type(ek_text a, ek_text b) { return a.size == b.size && memcmp(a.data + 2, b.data + 2, a.size - 2) == 0; }

ek_status ek_parse_labels(const ek_text *names, size_t n, uint8_t *kinds, int32_t *types) {
    if (n && (!names || !kinds || !types)) return EK_BAD_ARGUMENT;
    int32_t n_types = 0;
    for (size_t i = 0; i < n; i++) {
        const int kind = names[i].data ? kind_of(names[i]) : -1;
        if (kind < 0) return EK_BAD_ARGUMENT;
        kinds[i] = (uint8_t)kind;
        types[i] = -1;
        if (kind == EK_OUTSIDE) continue;
        for (size_t j = 0; j < i && types[i] < 0; j++)
            if (kinds[j] != EK_OUTSIDE && same_type(names[i], names[j])) types[i] = types[j];
        if (types[i] < 0) types[i] = n_types++;
    }
    return EK_OK;
}

ek_status ek_bio_masks(const uint8_t *kinds, const int32_t *types, size_t n, uint8_t *allowed, uint8_t *first,
                       uint8_t *last) {
    if (n && (!kinds || !types || !allowed || !first || !last)) return EK_BAD_ARGUMENT;
    int bioes = 0;
    for (size_t i = 0; i < n; i++) bioes |= kinds[i] == EK_END || kinds[i] == EK_SINGLE;
    for (size_t from = 0; from < n; from++) {
        const int unfinished = kinds[from] == EK_BEGIN || kinds[from] == EK_INSIDE;
        first[from] = kinds[from] != EK_INSIDE && kinds[from] != EK_END;
        last[from] = !(unfinished && bioes);
        for (size_t to = 0; to < n; to++) {
            const int inner = kinds[to] == EK_INSIDE || kinds[to] == EK_END;
            allowed[from * n + to] = inner ? unfinished && types[from] == types[to] : !(unfinished && bioes);
        }
    }
    return EK_OK;
}
