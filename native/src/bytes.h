/* Reading and writing little-endian numbers at any alignment, on any machine. */
#ifndef EK_BYTES_H
#define EK_BYTES_H

#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
static inline uint16_t ek_swap16(uint16_t x) { return (uint16_t)(x << 8 | x >> 8); }
static inline uint32_t ek_swap32(uint32_t x) {
    return (uint32_t)ek_swap16((uint16_t)x) << 16 | ek_swap16((uint16_t)(x >> 16));
}
static inline uint64_t ek_swap64(uint64_t x) {
    return (uint64_t)ek_swap32((uint32_t)x) << 32 | ek_swap32((uint32_t)(x >> 32));
}
#define EK_LITTLE(bits, x) ek_swap##bits(x)
#else
#define EK_LITTLE(bits, x) (x)
#endif

#define EK_ACCESS(bits)                                                                                               \
    static inline uint##bits##_t ek_load##bits(const uint8_t *base, size_t index) {                                  \
        uint##bits##_t x;                                                                                            \
        memcpy(&x, base + index * sizeof x, sizeof x);                                                               \
        return EK_LITTLE(bits, x);                                                                                   \
    }                                                                                                                \
    static inline void ek_store##bits(uint8_t *base, size_t index, uint##bits##_t x) {                               \
        x = EK_LITTLE(bits, x);                                                                                      \
        memcpy(base + index * sizeof x, &x, sizeof x);                                                               \
    }

EK_ACCESS(16)
EK_ACCESS(32)
EK_ACCESS(64)

#endif
