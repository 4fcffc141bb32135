#include <stdlib.h>

void reset(unsigned char *salt, int n) {
    for (int i = 0; i < n; i++) {
        // ruleid: c-random-secret
        salt[i] = rand() % 256;
    }
    // ruleid: c-random-secret
    long session_id = random();
    // ok: c-random-secret
    int delay = rand() % 100;
    // ok: c-random-secret
    getrandom(salt, n, 0);
}
