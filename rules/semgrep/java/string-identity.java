class Sample {
    boolean check(String mode, Object other) {
        // ruleid: java-string-identity
        if (mode == "fast") {
            return true;
        }
        // ruleid: java-string-identity
        if ("off" != mode) {
            return true;
        }
        // ok: java-string-identity
        if (mode == other || "" != null) {
            return true;
        }
        // ok: java-string-identity
        return "slow".equals(mode) || mode == null;
    }
}
