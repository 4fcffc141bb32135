class Sample
{
    void Read(XmlDocument document)
    {
        // ruleid: csharp-xxe
        document.XmlResolver = new XmlUrlResolver();
        // ruleid: csharp-xxe
        var open = new XmlReaderSettings { DtdProcessing = DtdProcessing.Parse };
        // ok: csharp-xxe
        document.XmlResolver = null;
        // ok: csharp-xxe
        var safe = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit };
    }
}
