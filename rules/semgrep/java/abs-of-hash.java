class Sample {
    int bucket(String key, Random random) {
        // ruleid: java-abs-of-hash
        int first = Math.abs(key.hashCode()) % 16;
        // ruleid: java-abs-of-hash
        int second = Math.abs(random.nextInt()) % 16;
        // ok: java-abs-of-hash
        int third = Math.floorMod(key.hashCode(), 16);
        // ok: java-abs-of-hash
        return Math.abs(first - random.nextInt(16));
    }
}
