class Sample {
    private static Config shared;
    private static volatile Config safe;
    private Cache cache = null;

    static Config get() {
        // ruleid: java-double-checked-locking
        if (shared == null) {
            synchronized (Sample.class) {
                if (shared == null) {
                    shared = new Config();
                }
            }
        }
        return shared;
    }

    Cache cache() {
        // ruleid: java-double-checked-locking
        if (cache == null) {
            synchronized (this) {
                if (cache == null) {
                    cache = new Cache();
                }
            }
        }
        return cache;
    }

    static Config getSafe() {
        // ok: java-double-checked-locking
        if (safe == null) {
            synchronized (Sample.class) {
                if (safe == null) {
                    safe = new Config();
                }
            }
        }
        return safe;
    }

    Cache simple() {
        synchronized (this) {
            // ok: java-double-checked-locking
            if (cache == null) {
                cache = new Cache();
            }
            return cache;
        }
    }
}
