class Sample {
    byte[] store(String password, byte[] file) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        // ruleid: java-weak-password-hash
        return digest.digest(password.getBytes(StandardCharsets.UTF_8));
    }

    String hex(User user) {
        // ruleid: java-weak-password-hash
        return DigestUtils.md5Hex(user.getPassword());
    }

    byte[] sum(byte[] file, String passwordFile) throws Exception {
        // ok: java-weak-password-hash
        String encoded = encoder.encode(password);
        // ok: java-weak-password-hash
        return MessageDigest.getInstance("SHA-256").digest(file);
    }
}
