class Sample
{
    void Print(int[] values, List<string> names)
    {
        for (int i = 0; i <= values.Length; i++)
        {
            // ruleid: csharp-index-past-end
            Console.WriteLine(values[i]);
        }
        for (var i = 0; i <= names.Count; i++)
        {
            // ruleid: csharp-index-past-end
            Console.WriteLine(names[i]);
        }
        for (int i = 1; i <= values.Length; i++)
        {
            // ok: csharp-index-past-end
            Console.WriteLine(values[i - 1]);
        }
        for (int i = 0; i < values.Length; i++)
        {
            // ok: csharp-index-past-end
            Console.WriteLine(values[i]);
        }
    }
}
