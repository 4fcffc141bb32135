using System.Collections.Generic;

namespace Import;

public class Customers
{
    public List<string> Names { get; } = new();
}
