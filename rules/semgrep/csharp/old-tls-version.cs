class Sample
{
    void Prepare(SslServerAuthenticationOptions options)
    {
        // ruleid: csharp-old-tls-version
        ServicePointManager.SecurityProtocol = SecurityProtocolType.Tls11;
        // ruleid: csharp-old-tls-version
        options.EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls;
        // ok: csharp-old-tls-version
        options.EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        // ok: csharp-old-tls-version
        ServicePointManager.SecurityProtocol = SecurityProtocolType.SystemDefault;
    }
}
