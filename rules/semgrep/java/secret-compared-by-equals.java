class Sample {
    boolean verify(Mac mac, byte[] body, String signature) {
        String expectedSignature = hex(mac.doFinal(body));
        // ruleid: java-secret-compared-by-equals
        return expectedSignature.equals(signature);
    }

    boolean verifyBytes(Mac mac, byte[] body, byte[] receivedMac) {
        byte[] computedMac = mac.doFinal(body);
        // ruleid: java-secret-compared-by-equals
        return Arrays.equals(computedMac, receivedMac);
    }

    boolean fine(Mac mac, byte[] body, byte[] signature) {
        // ok: java-secret-compared-by-equals
        return MessageDigest.isEqual(mac.doFinal(body), signature);
    }

    boolean types(String methodSignature, String otherSignature) {
        // ok: java-secret-compared-by-equals
        return methodSignature.equals(otherSignature);
    }
}
