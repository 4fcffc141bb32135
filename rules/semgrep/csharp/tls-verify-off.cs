class Sample
{
    void Connect(HttpClientHandler handler)
    {
        // ruleid: csharp-tls-verify-off
        handler.ServerCertificateCustomValidationCallback = (message, certificate, chain, errors) => true;
        // ruleid: csharp-tls-verify-off
        ServicePointManager.ServerCertificateValidationCallback += (s, c, ch, e) => true;
        // ruleid: csharp-tls-verify-off
        var open = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        // ok: csharp-tls-verify-off
        handler.ServerCertificateCustomValidationCallback = (message, certificate, chain, errors) => errors == SslPolicyErrors.None;
        // ok: csharp-tls-verify-off
        handler.Filter = (message) => true;
    }
}
