#include <string.h>

int main(int argc, char **argv) {
    char name[32];
    char path[64];
    // ruleid: c-unbounded-copy
    strcpy(name, argv[1]);
    const char *home = getenv("HOME");
    // ruleid: c-unbounded-copy
    sprintf(path, "%s/.config", home);
    // ok: c-unbounded-copy
    snprintf(name, sizeof(name), "%s", argv[1]);
    // ok: c-unbounded-copy
    strcpy(name, "default");
    // ok: c-unbounded-copy
    sprintf(path, "%d", atoi(argv[2]));
    return 0;
}

void number(void) {
    char name[32];
    int terminal = atoi(getenv("TERMINAL"));
    // ok: c-unbounded-copy
    sprintf(name, "%s%u", "/dev/tty", terminal);
    char *given = getenv("TERMINAL");
    // ok: c-unbounded-copy
    sprintf(name, "%s%u", "/dev/tty", given[0]);
}
