#include <stdlib.h>

int main(int argc, char **argv) {
    char command[256] = "";
    snprintf(command, sizeof(command), "ls %s", argv[1]);
    // ruleid: c-command-injection
    system(command);
    // ruleid: c-command-injection
    FILE *pipe = popen(getenv("PAGER"), "w");
    // ok: c-command-injection
    system("ls | wc -l");
    char numbered[64];
    snprintf(numbered, sizeof(numbered), "kill %d", atoi(argv[2]));
    // ok: c-command-injection
    system(numbered);
    return 0;
}
