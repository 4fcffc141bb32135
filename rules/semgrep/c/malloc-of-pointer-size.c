#include <stdlib.h>

void make(int n) {
    // ruleid: c-malloc-of-pointer-size
    struct item *first = malloc(sizeof(first));
    // ruleid: c-malloc-of-pointer-size
    item_t *second = malloc(sizeof(item_t *));
    // ok: c-malloc-of-pointer-size
    struct item *third = malloc(sizeof(*third));
    // ok: c-malloc-of-pointer-size
    struct item **table = malloc(n * sizeof(struct item *));
}
