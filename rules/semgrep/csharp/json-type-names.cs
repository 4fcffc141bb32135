class Sample
{
    void Prepare(JsonSerializerSettings settings, JsonSerializerSettings bound)
    {
        // ruleid: csharp-json-type-names
        settings.TypeNameHandling = TypeNameHandling.All;
        // ruleid: csharp-json-type-names
        var other = new JsonSerializerSettings { TypeNameHandling = TypeNameHandling.Auto };
        // ok: csharp-json-type-names
        settings.TypeNameHandling = TypeNameHandling.None;
        bound.SerializationBinder = new OwnTypes();
        // ok: csharp-json-type-names
        bound.TypeNameHandling = TypeNameHandling.Auto;
    }
}
