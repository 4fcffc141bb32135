class Sample
{
    byte[] Store(string password, byte[] file, SHA256 sha)
    {
        // ruleid: csharp-weak-password-hash
        var first = sha.ComputeHash(Encoding.UTF8.GetBytes(password));
        // ruleid: csharp-weak-password-hash
        var second = MD5.HashData(Encoding.UTF8.GetBytes(user.Password + salt));
        // ok: csharp-weak-password-hash
        var third = sha.ComputeHash(file);
        // ok: csharp-weak-password-hash
        return Rfc2898DeriveBytes.Pbkdf2(password, salt, 600000, HashAlgorithmName.SHA256, 32);
    }
}
