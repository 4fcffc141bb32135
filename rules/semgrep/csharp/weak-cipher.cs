class Sample
{
    void Prepare(Aes aes)
    {
        // ruleid: csharp-weak-cipher
        aes.Mode = CipherMode.ECB;
        // ruleid: csharp-weak-cipher
        var des = DES.Create();
        // ok: csharp-weak-cipher
        aes.Mode = CipherMode.CBC;
        // ok: csharp-weak-cipher
        var good = Aes.Create();
    }
}
