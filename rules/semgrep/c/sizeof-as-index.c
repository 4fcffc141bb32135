#define SIZE 16

void fill(const char *text) {
    char buffer[SIZE];
    int values[10];
    strncpy(buffer, text, sizeof(buffer));
    // ruleid: c-sizeof-as-index
    buffer[sizeof(buffer)] = '\0';
    // ruleid: c-sizeof-as-index
    buffer[SIZE] = '\0';
    // ruleid: c-sizeof-as-index
    for (int i = 0; i <= 10; i++) {
        values[i] = 0;
    }
    // ok: c-sizeof-as-index
    buffer[sizeof(buffer) - 1] = '\0';
    // ok: c-sizeof-as-index
    for (int i = 0; i < 10; i++) {
        values[i] = 0;
    }
}
