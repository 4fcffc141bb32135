void check(int mode, char *name) {
    // ruleid: c-assignment-in-condition
    if (mode = 3) {
        run();
    }
    // ruleid: c-assignment-in-condition
    while (name = NULL) {
        run();
    }
    // ok: c-assignment-in-condition
    if ((name = next()) != NULL) {
        run();
    }
    // ok: c-assignment-in-condition
    if (mode == 3) {
        run();
    }
}
