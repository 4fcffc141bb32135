class Sample : Controller
{
    [HttpGet("file")]
    public IActionResult Download([FromQuery] string name)
    {
        var path = Path.Combine("/srv/files", name);
        // ruleid: csharp-path-traversal
        return PhysicalFile(path, "application/octet-stream");
    }

    public void Save(IFormFile upload)
    {
        // ruleid: csharp-path-traversal
        using var target = new FileStream(Path.Combine(Root, upload.FileName), FileMode.Create);
    }

    public IActionResult Checked([FromQuery] string name)
    {
        var path = Path.GetFullPath(Path.Combine(Root, name));
        if (!path.StartsWith(Root))
        {
            return NotFound();
        }
        // ok: csharp-path-traversal
        return Content(File.ReadAllText(path));
    }

    public void Named([FromQuery] string name)
    {
        // ok: csharp-path-traversal
        File.ReadAllText(Path.Combine(Root, Path.GetFileName(name)));
    }
}
