class Sample {
    synchronized Item take() throws InterruptedException {
        // ruleid: java-wait-without-loop
        if (items.isEmpty()) {
            wait();
        }
        return items.remove();
    }

    void lock() throws InterruptedException {
        synchronized (lock) {
            // ruleid: java-wait-without-loop
            if (!ready) {
                lock.wait();
            }
        }
    }

    synchronized Item fine() throws InterruptedException {
        // ok: java-wait-without-loop
        while (items.isEmpty()) {
            wait();
        }
        while (running) {
            // ok: java-wait-without-loop
            if (items.isEmpty()) {
                wait();
            }
        }
        return items.remove();
    }
}
