#include <stdlib.h>

void release(char *name, int failed) {
    // ruleid: c-double-free
    free(name);
    report(failed);
    free(name);
}

int parse(const char *text) {
    char *copy = strdup(text);
    // ruleid: c-double-free
    free(copy);
    if (!valid(text)) {
        free(copy);
    }
    return 0;
}

int fine(const char *text) {
    char *copy = strdup(text);
    if (!valid(copy)) {
        // ok: c-double-free
        free(copy);
        return 1;
    }
    free(copy);
    copy = strdup("again");
    // ok: c-double-free
    free(copy);
    return 0;
}

void again(char *copy) {
    // ok: c-double-free
    free(copy);
    copy = NULL;
    free(copy);
}

void reopened(char *copy) {
    // ok: c-double-free
    free(copy);
    if (asprintf(&copy, "%d", 1) < 0)
        return;
    free(copy);
}
