/* Status codes, the ABI version, and the string view that the other headers share. */
#ifndef EDGE_KERNELS_STATUS_H
#define EDGE_KERNELS_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised by one whenever a signature, a struct or a status code changes its meaning. */
#define EK_ABI_VERSION 1
#define EK_VERSION "0.1.0"

/* EK_SHARED: the library is a DLL, EK_BUILDING while it is built. EK_STATIC: its objects are linked into something
 * that does not export them in turn. */
#if defined(EK_STATIC)
#define EK_API
#elif defined(_WIN32) && defined(EK_SHARED) && defined(EK_BUILDING)
#define EK_API __declspec(dllexport)
#elif defined(_WIN32) && defined(EK_SHARED)
#define EK_API __declspec(dllimport)
#elif defined(__GNUC__)
#define EK_API __attribute__((visibility("default")))
#else
#define EK_API
#endif

typedef enum ek_status {
    EK_OK = 0,
    EK_BAD_ARGUMENT = 1,   /* a null pointer, a length or a parameter out of its range */
    EK_TOO_SMALL = 2,      /* the caller's buffer cannot hold the result */
    EK_NO_PATH = 3,        /* no allowed path exists */
    EK_NOT_A_NUMBER = 4,   /* a score is NaN or +infinity */
    EK_CORRUPT = 5,        /* stored data fails its checksum or a bounds check */
    EK_UNSUPPORTED = 6,    /* stored data has a version or byte order that this build does not read */
    EK_OUT_OF_RANGE = 7,   /* an index in the input points outside its table */
    EK_STATUS_COUNT
} ek_status;

/* A string by pointer and length; it may hold NUL bytes and needs no terminator. */
typedef struct ek_text {
    const char *data;
    size_t size;
} ek_text;

/* The EK_ABI_VERSION that the library was built with: compare it with the header's before anything else. */
EK_API uint32_t ek_abi_version(void);

/* EK_VERSION of the library, a static string. */
EK_API const char *ek_version(void);

/* One English sentence for a status, a static string; never NULL, also for an unknown status. */
EK_API const char *ek_status_message(ek_status status);

#ifdef __cplusplus
}
#endif
#endif
