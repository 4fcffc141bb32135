#include <string.h>

int verify(const unsigned char *expected_mac, const unsigned char *given, const char *password, const char *stored) {
    // ruleid: c-secret-compared-by-memcmp
    if (memcmp(expected_mac, given, 32) == 0) {
        return 1;
    }
    // ruleid: c-secret-compared-by-memcmp
    if (strcmp(password, stored) == 0) {
        return 1;
    }
    // ok: c-secret-compared-by-memcmp
    if (strcmp(password, "") == 0 || memcmp(machine, given, 4) == 0) {
        return 0;
    }
    // ok: c-secret-compared-by-memcmp
    return CRYPTO_memcmp(expected_mac, given, 32) == 0;
}
