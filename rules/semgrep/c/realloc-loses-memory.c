#include <stdlib.h>

void grow(char *buffer, struct list *list, size_t size) {
    // ruleid: c-realloc-loses-memory
    buffer = realloc(buffer, size);
    // ruleid: c-realloc-loses-memory
    list->items = realloc(list->items, size);
    // ok: c-realloc-loses-memory
    char *larger = realloc(buffer, size);
    // ok: c-realloc-loses-memory
    buffer = xrealloc(buffer, size);
}
