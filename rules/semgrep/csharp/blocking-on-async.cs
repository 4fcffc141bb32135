class Sample
{
    async Task<string> Load(HttpClient client)
    {
        // ruleid: csharp-blocking-on-async
        var text = client.GetStringAsync("/a").Result;
        // ruleid: csharp-blocking-on-async
        SaveAsync(text).Wait();
        // ruleid: csharp-blocking-on-async
        SaveAsync(text).GetAwaiter().GetResult();
        // ok: csharp-blocking-on-async
        var other = await client.GetStringAsync("/b");
        // ok: csharp-blocking-on-async
        return Validate(other).Result;
    }
}
