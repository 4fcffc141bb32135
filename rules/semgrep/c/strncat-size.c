#include <string.h>

void join(const char *text) {
    char buffer[64] = "x";
    // ruleid: c-strncat-size
    strncat(buffer, text, sizeof(buffer));
    // ruleid: c-strncat-size
    strncat(buffer, text, sizeof(buffer) - strlen(buffer));
    // ok: c-strncat-size
    strncat(buffer, text, sizeof(buffer) - strlen(buffer) - 1);
    // ok: c-strncat-size
    strncpy(buffer, text, sizeof(buffer) - 1);
}
