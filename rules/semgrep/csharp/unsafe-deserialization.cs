class Sample
{
    object Read(Stream stream)
    {
        // ruleid: csharp-unsafe-deserialization
        var formatter = new BinaryFormatter();
        // ruleid: csharp-unsafe-deserialization
        var other = new LosFormatter();
        // ok: csharp-unsafe-deserialization
        var json = JsonSerializer.Deserialize<Person>(stream);
        // ok: csharp-unsafe-deserialization
        var contract = new DataContractSerializer(typeof(Person));
        return formatter.Deserialize(stream);
    }
}
