class Sample {
    TrustManager open = new X509TrustManager() {
        // ruleid: java-tls-verify-off
        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {
            throw new UnsupportedOperationException();
        }
    };

    TrustManager checked = new X509TrustManager() {
        // ok: java-tls-verify-off
        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            delegate.checkServerTrusted(chain, authType);
        }
    };

    void connect(HttpsURLConnection connection, OkHttpClient.Builder builder) {
        // ruleid: java-tls-verify-off
        connection.setHostnameVerifier((host, session) -> true);
        // ruleid: java-tls-verify-off
        HttpClients.custom().setSSLHostnameVerifier(NoopHostnameVerifier.INSTANCE).build();
        // ok: java-tls-verify-off
        builder.hostnameVerifier((host, session) -> host.equals("db.internal"));
        // ok: java-tls-verify-off
        names.removeIf((name) -> true);
    }
}
