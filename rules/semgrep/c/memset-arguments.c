#include <string.h>

void clear(struct item *item, char *name) {
    char buffer[32];
    // ruleid: c-memset-arguments
    memset(item, 0, sizeof(item));
    // ruleid: c-memset-arguments
    memset(buffer, sizeof(buffer), 0);
    // ok: c-memset-arguments
    memset(buffer, 0, sizeof(buffer));
    // ok: c-memset-arguments
    memset(item, 0, sizeof(*item));
}
