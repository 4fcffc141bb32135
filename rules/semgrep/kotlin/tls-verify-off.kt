val open = object : X509TrustManager {
    // ruleid: kotlin-tls-verify-off
    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String) {}
}

val checked = object : X509TrustManager {
    // ok: kotlin-tls-verify-off
    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String) {
        delegate.checkServerTrusted(chain, authType)
    }
}

fun connect(builder: OkHttpClient.Builder) {
    // ruleid: kotlin-tls-verify-off
    builder.hostnameVerifier { _, _ -> true }
    // ok: kotlin-tls-verify-off
    builder.hostnameVerifier { host, _ -> host == "db.internal" }
    // ok: kotlin-tls-verify-off
    items.filter { _, _ -> true }
}
