class Sample {
    void find(Statement statement, Connection connection, String name) throws Exception {
        // ruleid: java-sql-injection
        statement.executeQuery("SELECT * FROM person WHERE name = '" + name + "'");
        // ruleid: java-sql-injection
        statement.executeUpdate(String.format("DELETE FROM person WHERE name = '%s'", name));
        // ok: java-sql-injection
        connection.prepareStatement("SELECT * FROM person WHERE name = ?").setString(1, name);
    }
}
