void run(int n) {
    // ruleid: c-delete-of-array
    char *buffer = new char[n];
    fill(buffer, n);
    delete buffer;
}

void again(int n) {
    // ruleid: c-delete-of-array
    int *values = new int[16];
    delete values;
}

void fine(int n) {
    // ok: c-delete-of-array
    char *buffer = new char[n];
    delete[] buffer;
    // ok: c-delete-of-array
    Item *item = new Item(n);
    delete item;
}
