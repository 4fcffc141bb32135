fun reset(user: User) {
    // ruleid: kotlin-random-secret
    val resetToken = Random.nextLong().toString(16)
    // ruleid: kotlin-random-secret
    val otp = 100000 + Random().nextInt(900000)
    // ok: kotlin-random-secret
    val sessionToken = SecureRandom().nextLong().toString(16)
    // ok: kotlin-random-secret
    val delay = Random.nextInt(100)
}
