/* Any bytes as a text of any width: as many numbers as promised at most, all within their buckets, the same twice. */
#include <stdlib.h>
#include <string.h>

#include "edge_kernels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    const ek_phrase_scheme scheme = {data[0] % 18u, data[0] % 18u + data[1] % 4u, data[1] / 4 % 10u, data[2] % 50u,
                                     data[2] / 50u};
    const uint32_t width = 1u << data[3] % 3;
    data += 4, size -= 4;
    const size_t length = size / width;
    void *text = malloc(length * width + 4); /* aligned, and ends where the sanitizer looks */
    memcpy(text, data, length * width);
    const ek_ucs view = {text, length, width};
    const size_t capacity = ek_phrase_ngrams_capacity(&scheme, length);
    size_t count = 0, again = 0;
    int32_t *numbers = malloc(capacity * sizeof *numbers + 4), *second = malloc(capacity * sizeof *second + 4);
    const ek_status status = ek_phrase_ngrams(&scheme, view, numbers, capacity, &count);
    if (status == EK_TOO_SMALL || count > capacity) abort();
    for (size_t i = 0; i < count; i++)
        if (numbers[i] < 1 || (uint32_t)numbers[i] > scheme.ngram_buckets + scheme.word_buckets) abort();
    if (count) {
        if (ek_phrase_ngrams(&scheme, view, second, count, &again) != EK_OK || again != count) abort();
        if (memcmp(numbers, second, count * sizeof *numbers) != 0) abort();
        if (ek_phrase_ngrams(&scheme, view, second, count - 1, &again) != EK_TOO_SMALL) abort();
    }
    free(text), free(numbers), free(second);
    return 0;
}
