class Sample
{
    void Find(SqlConnection connection, AppContext db, string name, string tableName)
    {
        // ruleid: csharp-sql-injection
        var first = new SqlCommand("SELECT * FROM person WHERE name = '" + name + "'", connection);
        // ruleid: csharp-sql-injection
        var second = db.People.FromSqlRaw($"SELECT * FROM person WHERE name = '{name}'");
        // ruleid: csharp-sql-injection
        connection.Query<Person>($"DELETE FROM person WHERE name = '{name}'");
        // ok: csharp-sql-injection
        var third = db.People.FromSqlInterpolated($"SELECT * FROM person WHERE name = {name}");
        // ok: csharp-sql-injection
        connection.Query<Person>("SELECT * FROM person WHERE name = @name", new { name });
        // ok: csharp-sql-injection
        connection.Execute($"DELETE FROM {tableName}");
    }
}
