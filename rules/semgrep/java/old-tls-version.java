class Sample {
    void connect(SSLSocket socket) throws Exception {
        // ruleid: java-old-tls-version
        SSLContext old = SSLContext.getInstance("TLSv1");
        // ruleid: java-old-tls-version
        socket.setEnabledProtocols(new String[] {"TLSv1.2", "TLSv1.1"});
        // ruleid: java-old-tls-version
        System.setProperty("https.protocols", "TLSv1.2,TLSv1");
        // ok: java-old-tls-version
        SSLContext current = SSLContext.getInstance("TLS");
        // ok: java-old-tls-version
        socket.setEnabledProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
    }
}
