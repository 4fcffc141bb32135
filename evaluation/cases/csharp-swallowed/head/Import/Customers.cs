using System;
using System.Collections.Generic;
using System.IO;

namespace Import;

public class Customers
{
    public List<string> Names { get; } = new();

    public int Load(string path)
    {
        try
        {
            foreach (var line in File.ReadLines(path))
            {
                Names.Add(line.Split(';')[1]);
            }
        }
        catch (Exception)
        {
        }
        return Names.Count;
    }
}
