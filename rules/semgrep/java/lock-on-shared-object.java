class Sample {
    private String name = "x";
    private Integer count = 0;
    private final Object lock = new Object();

    void run(String key) {
        // ruleid: java-lock-on-shared-object
        synchronized (count) {
            count++;
        }
        // ruleid: java-lock-on-shared-object
        synchronized (key.intern()) {
            work();
        }
        // ok: java-lock-on-shared-object
        synchronized (lock) {
            count++;
        }
        // ok: java-lock-on-shared-object
        synchronized (this) {
            work();
        }
    }
}
