package app;

public final class Lease {
    private final long startMillis;

    Lease(long startMillis) {
        this.startMillis = startMillis;
    }

    long endMillis(int days) {
        return startMillis + days * 24 * 60 * 60 * 1000;
    }
}
