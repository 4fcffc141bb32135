class Sample
{
    private readonly object gate = new object();

    void Run()
    {
        // ruleid: csharp-lock-on-shared-object
        lock (this)
        {
            count++;
        }
        // ruleid: csharp-lock-on-shared-object
        lock (typeof(Sample))
        {
            count++;
        }
        // ok: csharp-lock-on-shared-object
        lock (gate)
        {
            count++;
        }
        // ok: csharp-lock-on-shared-object
        lock (this.gate)
        {
            count++;
        }
    }
}
