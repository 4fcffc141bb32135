#include <stdlib.h>

struct node *remove_node(struct node *node) {
    // ruleid: c-use-after-free
    free(node);
    return node->next;
}

void release(struct node *node) {
    // ruleid: c-use-after-free
    free(node);
    log_name(node, 1);
}

void fine(struct node *node) {
    struct node *next = node->next;
    // ok: c-use-after-free
    free(node);
    node = next;
    node->count = 0;
    // ok: c-use-after-free
    free(node->name);
    node->name = NULL;
}

void twice(char *copy) {
    // ok: c-use-after-free
    free(copy);
    free(copy);
}
