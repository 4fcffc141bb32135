#include <sys/stat.h>

void store(const char *path, int mode) {
    // ruleid: c-open-permissions
    chmod(path, 0777);
    // ruleid: c-open-permissions
    umask(0);
    // ok: c-open-permissions
    chmod(path, 0755);
    // ok: c-open-permissions
    umask(077);
    // ok: c-open-permissions
    int fd = open(path, O_CREAT | O_WRONLY, 0666);
}
