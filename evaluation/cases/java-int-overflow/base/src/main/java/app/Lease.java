package app;

public final class Lease {
    private final long startMillis;

    Lease(long startMillis) {
        this.startMillis = startMillis;
    }
}
