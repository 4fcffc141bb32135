class Sample {
    void prepare() throws Exception {
        // ruleid: java-weak-cipher
        Cipher.getInstance("DES");
        // ruleid: java-weak-cipher
        Cipher.getInstance("AES/ECB/PKCS5Padding");
        // ruleid: java-weak-cipher
        Cipher.getInstance("AES");
        // ruleid: java-weak-cipher
        Cipher.getInstance("DESede/CBC/PKCS5Padding", "BC");
        // ok: java-weak-cipher
        Cipher.getInstance("AES/GCM/NoPadding");
        // ok: java-weak-cipher
        Cipher.getInstance("RSA/ECB/OAEPWithSHA-256AndMGF1Padding");
    }
}
