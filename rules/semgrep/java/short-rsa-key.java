class Sample {
    void generate() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        // ruleid: java-short-rsa-key
        generator.initialize(1024);
        KeyPairGenerator signing = KeyPairGenerator.getInstance("RSA", "BC");
        // ruleid: java-short-rsa-key
        signing.initialize(512);
        KeyPairGenerator good = KeyPairGenerator.getInstance("RSA");
        // ok: java-short-rsa-key
        good.initialize(3072);
        KeyPairGenerator curve = KeyPairGenerator.getInstance("EC");
        // ok: java-short-rsa-key
        curve.initialize(256);
    }
}
