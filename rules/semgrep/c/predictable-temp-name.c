#include <stdlib.h>

void store(void) {
    char pattern[] = "/tmp/workXXXXXX";
    // ruleid: c-predictable-temp-name
    char *name = tmpnam(NULL);
    // ruleid: c-predictable-temp-name
    mktemp(pattern);
    // ok: c-predictable-temp-name
    int fd = mkstemp(pattern);
    // ok: c-predictable-temp-name
    FILE *file = tmpfile();
}
