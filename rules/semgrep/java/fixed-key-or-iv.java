class Sample {
    void prepare(byte[] stored) throws Exception {
        // ruleid: java-fixed-key-or-iv
        SecretKeySpec key = new SecretKeySpec("sixteen byte key".getBytes(StandardCharsets.UTF_8), "AES");
        // ruleid: java-fixed-key-or-iv
        IvParameterSpec iv = new IvParameterSpec(new byte[16]);
        // ruleid: java-fixed-key-or-iv
        GCMParameterSpec gcm = new GCMParameterSpec(128, new byte[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
        byte[] nonce = new byte[12];
        new SecureRandom().nextBytes(nonce);
        // ok: java-fixed-key-or-iv
        GCMParameterSpec fresh = new GCMParameterSpec(128, nonce);
        // ok: java-fixed-key-or-iv
        SecretKeySpec loaded = new SecretKeySpec(stored, "AES");
        // ok: java-fixed-key-or-iv
        SecretKeySpec environment = new SecretKeySpec(System.getenv("KEY").getBytes(), "AES");
    }
}
