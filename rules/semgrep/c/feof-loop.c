#include <stdio.h>

void copy(FILE *file) {
    char line[80];
    int n;
    // ruleid: c-feof-loop
    while (!feof(file)) {
        fgets(line, sizeof(line), file);
        puts(line);
    }
    // ruleid: c-feof-loop
    while (!feof(file)) {
        fscanf(file, "%d", &n);
        use(n);
    }
    // ok: c-feof-loop
    while (fgets(line, sizeof(line), file)) {
        puts(line);
    }
    // ok: c-feof-loop
    while (!feof(file)) {
        if (!fgets(line, sizeof(line), file)) {
            break;
        }
        puts(line);
    }
}
