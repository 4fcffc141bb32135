class Sample {
    private final Random random = new Random();

    void reset(User user) {
        // ruleid: java-random-secret
        String resetToken = Long.toHexString(new Random().nextLong());
        // ruleid: java-random-secret
        user.password = RandomStringUtils.randomAlphanumeric(8);
        // ok: java-random-secret
        String sessionToken = Long.toHexString(new SecureRandom().nextLong());
        // ok: java-random-secret
        int delay = new Random().nextInt(100);
        // ok: java-random-secret
        String tokenizer = names.get(random.nextInt(3));
    }

    int otp() {
        // ruleid: java-random-secret
        return 100000 + random.nextInt(900000);
    }
}
