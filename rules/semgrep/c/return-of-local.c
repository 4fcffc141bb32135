#include <stdio.h>

char *name(int n) {
    char buffer[32];
    snprintf(buffer, sizeof(buffer), "item %d", n);
    // ruleid: c-return-of-local
    return buffer;
}

int *numbers(int n) {
    int values[4];
    values[0] = n;
    // ruleid: c-return-of-local
    return &values[0];
}

char *shared(int n) {
    static char buffer[32];
    snprintf(buffer, sizeof(buffer), "item %d", n);
    // ok: c-return-of-local
    return buffer;
}

char *given(char *buffer, int size) {
    char scratch[32];
    // ok: c-return-of-local
    return buffer;
}
