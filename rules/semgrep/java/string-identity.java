class Sample {
    boolean check(String mode) {
        // ruleid: java-string-identity
        if (mode == "fast") {
            return true;
        }
        // ok: java-string-identity
        return "slow".equals(mode) || mode == null;
    }
}
