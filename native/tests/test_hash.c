/* XXH64 against XSUM_XXH64_testdata of the xxHash repository, SplitMix64 against its published stream. */
#include "check.h"
#include "edge_kernels.h"

int main(void) {
    const uint32_t prime32 = 2654435761u;
    struct {
        size_t size;
        uint64_t seed, hash;
    } vectors[] = {
        {0, 0, 0xEF46DB3751D8E999u},   {0, prime32, 0xAC75FDA2929B17EFu},   {1, 0, 0xE934A84ADB052768u},
        {1, prime32, 0x5014607643A9B4C3u}, {4, 0, 0x9136A0DCA57457EEu},     {14, 0, 0x8282DCC4994E35C8u},
        {14, prime32, 0xC3BD6BF63DEB6DF0u}, {222, 0, 0xB641AE8CB691C174u},  {222, prime32, 0x20CB8AB7AE10C14Au},
    };
    uint8_t buffer[222];
    uint64_t generator = prime32;
    for (size_t i = 0; i < sizeof buffer; i++) {
        buffer[i] = (uint8_t)(generator >> 56);
        generator *= 11400714785074694797u;
    }
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t *data = malloc(vectors[i].size + 1); /* its own block, at an odd address: sanitizers see the end */
        memcpy(data + 1, buffer, vectors[i].size);
        const uint64_t hash = ek_xxh64(data + 1, vectors[i].size, vectors[i].seed);
        CHECK(hash == vectors[i].hash);
        CHECK(ek_string_hash(data + 1, vectors[i].size, vectors[i].seed) == (uint32_t)(hash ^ hash >> 32));
        free(data);
    }
    CHECK(ek_xxh64(NULL, 0, 0) == 0xEF46DB3751D8E999u);

    uint32_t constants[6];
    CHECK(ek_hash_constants(1234567, 3, constants) == EK_OK);
    const uint64_t stream[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u};
    for (size_t i = 0; i < 3; i++) {
        CHECK(constants[i] == (uint32_t)stream[i]);
        CHECK(constants[3 + i] == ((uint32_t)(stream[i] >> 32) | 1u));
    }
    CHECK(ek_hash_constants(0, 3, NULL) == EK_BAD_ARGUMENT);

    CHECK(ek_abi_version() == EK_ABI_VERSION);
    CHECK(strcmp(ek_version(), EK_VERSION) == 0);
    for (int status = 0; status <= EK_STATUS_COUNT; status++) {
        const char *message = ek_status_message((ek_status)status);
        CHECK(message && *message);
        CHECK((strcmp(message, "unknown status") == 0) == (status == EK_STATUS_COUNT));
    }
    return 0;
}
