class Sample
{
    // ruleid: csharp-async-void
    public async void Save(Item item)
    {
        await store.WriteAsync(item);
    }

    // ruleid: csharp-async-void
    private static async void Refresh()
    {
        await Task.Delay(1);
    }

    // ok: csharp-async-void
    public async Task SaveAsync(Item item)
    {
        await store.WriteAsync(item);
    }

    // ok: csharp-async-void
    private async void Button_Click(object sender, EventArgs e)
    {
        await SaveAsync(null);
    }
}
