class Sample
{
    void Run()
    {
        try
        {
            Work();
        }
        // ruleid: csharp-swallowed-exception
        catch (Exception e)
        {
        }
        try
        {
            Work();
        }
        // ruleid: csharp-swallowed-exception
        catch { }
        try
        {
            Work();
        }
        // ok: csharp-swallowed-exception
        catch (Exception)
        {
            // The cache is only a convenience.
        }
        try
        {
            Work();
        }
        // ok: csharp-swallowed-exception
        catch (FileNotFoundException)
        {
        }
    }
}
