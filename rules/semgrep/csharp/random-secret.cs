class Sample
{
    private readonly Random random = new Random();

    void Reset(User user)
    {
        // ruleid: csharp-random-secret
        var resetToken = new Random().Next().ToString("x");
        // ruleid: csharp-random-secret
        user.Password = Random.Shared.Next(100000, 999999).ToString();
        // ok: csharp-random-secret
        var sessionToken = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        // ok: csharp-random-secret
        var delay = new Random().Next(100);
    }
}
