#include <unistd.h>

void store(const char *path, const char *other) {
    int fd;
    // ruleid: c-check-then-open
    if (access(path, W_OK) == 0) {
        fd = open(path, O_WRONLY);
    }
    // ruleid: c-check-then-open
    if (access(path, F_OK) != 0) {
        FILE *file = fopen(path, "w");
        fputs("x", file);
    }
    // ok: c-check-then-open
    if (access(other, R_OK) == 0) {
        fd = open(path, O_RDONLY);
    }
    // ok: c-check-then-open
    if (access(path, X_OK) != 0) {
        report(path);
    }
}
