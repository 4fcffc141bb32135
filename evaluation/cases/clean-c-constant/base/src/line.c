#include <stdio.h>

int read_line(FILE *in)
{
    char line[256];
    return fgets(line, 256, in) != NULL;
}
