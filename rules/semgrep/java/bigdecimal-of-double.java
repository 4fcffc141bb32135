class Sample {
    void price() {
        // ruleid: java-bigdecimal-of-double
        BigDecimal tax = new BigDecimal(0.19);
        // ruleid: java-bigdecimal-of-double
        BigDecimal price = new BigDecimal(19.99).multiply(tax);
        // ok: java-bigdecimal-of-double
        BigDecimal exact = new BigDecimal("0.19");
        // ok: java-bigdecimal-of-double
        BigDecimal half = new BigDecimal(0.5);
        // ok: java-bigdecimal-of-double
        BigDecimal whole = new BigDecimal(100);
    }
}
