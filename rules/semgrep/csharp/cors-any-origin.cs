class Sample
{
    void Configure(CorsPolicyBuilder policy)
    {
        // ruleid: csharp-cors-any-origin
        policy.SetIsOriginAllowed(origin => true).AllowAnyHeader().AllowCredentials();
        // ruleid: csharp-cors-any-origin
        policy.AllowCredentials().SetIsOriginAllowed(_ => true);
        // ok: csharp-cors-any-origin
        policy.WithOrigins("https://example.com").AllowCredentials();
        // ok: csharp-cors-any-origin
        policy.AllowAnyOrigin().AllowAnyHeader();
    }
}
