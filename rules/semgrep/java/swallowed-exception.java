class Sample {
    void run() {
        try {
            work();
        // ruleid: java-swallowed-exception
        } catch (Exception e) {
        }
        try {
            work();
        // ruleid: java-swallowed-exception
        } catch (final Throwable problem) { }
        try {
            work();
        // ok: java-swallowed-exception
        } catch (Exception ignored) {
        }
        try {
            work();
        // ok: java-swallowed-exception
        } catch (NumberFormatException e) {
        }
        try {
            work();
        // ok: java-swallowed-exception
        } catch (Exception e) {
            // The cache is only a convenience.
        }
    }
}
