#include "edge_kernels/ucs.h"

/* Reads one code point at data[i, size); returns its length in bytes, 0 if these bytes are not UTF-8. */
static size_t decode_utf8(const uint8_t *data, size_t size, uint32_t *code_point) {
    uint32_t first = data[0];
    if (first < 0x80) {
        *code_point = first;
        return 1;
    }
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || size < length) return 0;
    uint32_t x = first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xC0) != 0x80) return 0;
        x = x << 6 | (data[i] & 0x3Fu);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (x < smallest[length] || x >= EK_CODE_POINTS || (x >= 0xD800 && x < 0xE000)) return 0;
    *code_point = x;
    return length;
}

ek_status ek_ucs_from_utf8(ek_text text, uint32_t *code_points, uint32_t *offsets, size_t capacity, size_t *length) {
    if ((text.data == NULL && text.size > 0) || code_points == NULL || length == NULL || text.size > UINT32_MAX)
        return EK_BAD_ARGUMENT;
    const uint8_t *data = (const uint8_t *)text.data;
    *length = 0;
    if (capacity == 0) return EK_TOO_SMALL;
    for (size_t i = 0; i < text.size;) {
        if (*length + 1 >= capacity) return EK_TOO_SMALL;
        size_t step = decode_utf8(data + i, text.size - i, &code_points[*length]);
        if (step == 0) return EK_OUT_OF_RANGE;
        if (offsets) offsets[*length] = (uint32_t)i;
        ++*length;
        i += step;
    }
    if (offsets) offsets[*length] = (uint32_t)text.size;
    return EK_OK;
}

ek_status ek_ucs_from_utf16(const uint16_t *units, size_t size, uint32_t *code_points, uint32_t *offsets,
                            size_t capacity, size_t *length) {
    if ((units == NULL && size > 0) || code_points == NULL || length == NULL || size > UINT32_MAX)
        return EK_BAD_ARGUMENT;
    *length = 0;
    if (capacity == 0) return EK_TOO_SMALL;
    for (size_t i = 0; i < size;) {
        if (*length + 1 >= capacity) return EK_TOO_SMALL;
        uint32_t x = units[i];
        size_t step = 1;
        if (x >= 0xD800 && x < 0xDC00 && i + 1 < size && units[i + 1] >= 0xDC00 && units[i + 1] < 0xE000) {
            x = 0x10000 + ((x - 0xD800) << 10) + (units[i + 1] - 0xDC00u);
            step = 2;
        }
        code_points[*length] = x;
        if (offsets) offsets[*length] = (uint32_t)i;
        ++*length;
        i += step;
    }
    if (offsets) offsets[*length] = (uint32_t)size;
    return EK_OK;
}
