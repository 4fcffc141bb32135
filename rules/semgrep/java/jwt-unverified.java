class Sample {
    void read(String token, Key key) {
        // ruleid: java-jwt-unverified
        Jwts.parser().build().parseClaimsJwt(token).getBody();
        // ruleid: java-jwt-unverified
        JWT.require(Algorithm.none()).build().verify(token);
        // ruleid: java-jwt-unverified
        JwtConsumer open = new JwtConsumerBuilder().setSkipSignatureVerification().build();
        // ok: java-jwt-unverified
        Jwts.parser().verifyWith(key).build().parseSignedClaims(token);
        // ok: java-jwt-unverified
        JWT.require(Algorithm.RSA256(provider)).build().verify(token);
    }
}
