class Sample
{
    void Prepare()
    {
        var open = new TokenValidationParameters
        {
            // ruleid: csharp-jwt-unchecked
            RequireSignedTokens = false,
            // ruleid: csharp-jwt-unchecked
            ValidateLifetime = false,
        };
        var safe = new TokenValidationParameters
        {
            // ok: csharp-jwt-unchecked
            ValidateLifetime = true,
            // ok: csharp-jwt-unchecked
            IssuerSigningKey = key,
        };
    }
}
