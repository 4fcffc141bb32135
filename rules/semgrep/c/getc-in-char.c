#include <stdio.h>

void copy(FILE *in) {
    char c;
    // ruleid: c-getc-in-char
    while ((c = getc(in)) != EOF) {
        putchar(c);
    }
}

void second(FILE *in) {
    // ruleid: c-getc-in-char
    char c = fgetc(in);
    while (c != EOF) {
        // ok: c-getc-in-char
        putchar(c);
        break;
    }
}

void fine(FILE *in) {
    int c;
    // ok: c-getc-in-char
    while ((c = getc(in)) != EOF) {
        putchar(c);
    }
}

void one(FILE *in) {
    char c;
    // ok: c-getc-in-char
    c = getc(in);
}
