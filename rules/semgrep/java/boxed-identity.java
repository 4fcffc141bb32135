class Sample {
    boolean same(Integer left, Integer right, Long id, long key, BigDecimal price, BigDecimal paid) {
        // ruleid: java-boxed-identity
        if (left == right) {
            return true;
        }
        // ruleid: java-boxed-identity
        if (price != paid) {
            return false;
        }
        // ok: java-boxed-identity
        if (left == null || left == 1000) {
            return false;
        }
        // ok: java-boxed-identity
        return id == key;
    }
}
