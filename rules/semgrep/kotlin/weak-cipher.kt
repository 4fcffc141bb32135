fun prepare() {
    // ruleid: kotlin-weak-cipher
    val old = Cipher.getInstance("DES/CBC/PKCS5Padding")
    // ruleid: kotlin-weak-cipher
    val blocks = Cipher.getInstance("AES")
    // ok: kotlin-weak-cipher
    val good = Cipher.getInstance("AES/GCM/NoPadding")
    // ok: kotlin-weak-cipher
    val rsa = Cipher.getInstance("RSA/ECB/OAEPWithSHA-256AndMGF1Padding")
}
