#include <string.h>

char *copy(const char *text) {
    // ruleid: c-strlen-without-terminator
    char *result = malloc(strlen(text));
    strcpy(result, text);
    return result;
}

void keep(struct item *item, const char *name) {
    // ruleid: c-strlen-without-terminator
    item->name = malloc(strlen(name));
    if (item->name) {
        strcpy(item->name, name);
    }
}

char *fine(const char *text) {
    // ok: c-strlen-without-terminator
    char *result = malloc(strlen(text) + 1);
    strcpy(result, text);
    // ok: c-strlen-without-terminator
    char *bytes = malloc(strlen(text));
    memcpy(bytes, text, strlen(text));
    return result;
}
