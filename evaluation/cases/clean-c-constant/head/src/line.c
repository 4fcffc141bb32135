#include <stdio.h>

enum { LINE_BYTES = 256 };

int read_line(FILE *in)
{
    char line[LINE_BYTES];
    return fgets(line, sizeof line, in) != NULL;
}
