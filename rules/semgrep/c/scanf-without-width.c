#include <stdio.h>

void read_name(FILE *file, char *line) {
    char name[32];
    int age;
    // ruleid: c-scanf-without-width
    scanf("%s", name);
    // ruleid: c-scanf-without-width
    fscanf(file, "%d %[a-z]", &age, name);
    // ok: c-scanf-without-width
    scanf("%31s", name);
    // ok: c-scanf-without-width
    sscanf(line, "%d%%s %*s", &age);
    // ok: c-scanf-without-width
    scanf("%ms", &name);
}
