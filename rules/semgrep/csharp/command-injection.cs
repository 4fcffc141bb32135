class Sample
{
    void Run(string name)
    {
        // ruleid: csharp-command-injection
        Process.Start("cmd.exe", "/c dir " + name);
        // ruleid: csharp-command-injection
        var info = new ProcessStartInfo("/bin/bash", $"-c \"ls {name}\"");
        // ok: csharp-command-injection
        Process.Start("git", "clone " + name);
        // ok: csharp-command-injection
        Process.Start("cmd.exe", "/c dir");
    }
}
