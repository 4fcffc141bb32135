#include <stdio.h>

void read_line(void) {
    char line[80];
    // ruleid: c-gets
    gets(line);
    // ok: c-gets
    fgets(line, sizeof(line), stdin);
    // ok: c-gets
    my_gets(line);
}

char *other(char *name) {
    // ruleid: c-gets
    return gets(name);
}
