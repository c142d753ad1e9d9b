/* Text as an array of code points, the form in which the trie reads it, and how to get there from UTF-8 and UTF-16.
 *
 * Positions and lengths in trie.h count code points. Latin-1 text, Python's str (1, 2 or 4 bytes a code point) and
 * UTF-16 without surrogates are such arrays already and need no conversion. */
#ifndef EDGE_KERNELS_UCS_H
#define EDGE_KERNELS_UCS_H

#include "edge_kernels/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define EK_CODE_POINTS 0x110000u /* one more than the largest code point */

/* A view of `length` code points of `width` bytes each: 1 (Latin-1), 2 or 4. Owns nothing; `data` is aligned to
 * `width` and may be NULL if `length` is 0. Code points above 0x10FFFF are in no word. */
typedef struct ek_ucs {
    const void *data;
    size_t length;
    uint32_t width;
} ek_ucs;

/* Decodes UTF-8 into code points. `offsets`, if not NULL, receives length + 1 byte offsets: code point i is
 * bytes [offsets[i], offsets[i + 1]). Both buffers hold `capacity` values; text.size + 1 always suffices.
 * EK_BAD_ARGUMENT: a pointer is NULL. EK_OUT_OF_RANGE: not UTF-8, *length code points decoded before the fault.
 * EK_TOO_SMALL: more than `capacity - 1` code points. */
EK_API ek_status ek_ucs_from_utf8(ek_text text, uint32_t *code_points, uint32_t *offsets, size_t capacity,
                                  size_t *length);

/* The same for `size` units of UTF-16 (Java, Windows, Swift); offsets count units. A surrogate without its partner
 * is taken as a code point of its own, as these platforms do. */
EK_API ek_status ek_ucs_from_utf16(const uint16_t *units, size_t size, uint32_t *code_points, uint32_t *offsets,
                                   size_t capacity, size_t *length);

#ifdef __cplusplus
}
#endif
#endif
