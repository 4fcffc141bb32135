class Sample
{
    void Run()
    {
        try
        {
            Work();
        }
        catch (IOException e)
        {
            Log(e);
            // ruleid: csharp-rethrow-loses-trace
            throw e;
        }
        catch (Exception problem)
        {
            // ruleid: csharp-rethrow-loses-trace
            throw problem;
        }
        try
        {
            Work();
        }
        catch (IOException e)
        {
            Log(e);
            // ok: csharp-rethrow-loses-trace
            throw;
        }
        catch (Exception e)
        {
            // ok: csharp-rethrow-loses-trace
            throw new InvalidOperationException("no", e);
        }
    }
}
