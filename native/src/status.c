#include "edge_kernels/status.h"

uint32_t ek_abi_version(void) { return EK_ABI_VERSION; }

const char *ek_version(void) { return EK_VERSION; }

const char *ek_status_message(ek_status status) {
    switch (status) {
    case EK_OK: return "success";
    case EK_BAD_ARGUMENT: return "an argument is null or out of its range";
    case EK_TOO_SMALL: return "the buffer given is too small for the result";
    case EK_NO_PATH: return "no allowed path exists";
    case EK_NOT_A_NUMBER: return "a score is NaN or plus infinity";
    case EK_CORRUPT: return "the stored data is damaged";
    case EK_UNSUPPORTED: return "the stored data has a version or byte order that this build does not read";
    case EK_OUT_OF_RANGE: return "an index points outside its table";
    case EK_STATUS_COUNT: break;
    }
    return "unknown status";
}
