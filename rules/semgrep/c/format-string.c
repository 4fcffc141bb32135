#include <stdio.h>
#include <syslog.h>

int main(int argc, char **argv) {
    char line[80];
    // ruleid: c-format-string
    printf(argv[1]);
    fgets(line, sizeof(line), stdin);
    // ruleid: c-format-string
    syslog(LOG_INFO, line);
    // ok: c-format-string
    printf("%s", argv[1]);
    // ok: c-format-string
    printf(_("usage"));
    // ok: c-format-string
    fputs(line, stdout);
    return 0;
}
