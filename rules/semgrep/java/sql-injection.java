class Sample {
    private static final String COLUMNS = "id, name";

    void find(Statement statement, Connection connection, EntityManager manager, String name, int limit) throws Exception {
        // ruleid: java-sql-injection
        statement.executeQuery("SELECT * FROM person WHERE name = '" + name + "'");
        // ruleid: java-sql-injection
        statement.executeUpdate(String.format("DELETE FROM person WHERE name = '%s'", name));
        // ruleid: java-sql-injection
        manager.createQuery("from Person p where p.name = '" + name + "'", Person.class).getResultList();
        String query = "select * from person where name = '" + name + "'";
        log.debug(query);
        // ruleid: java-sql-injection
        jdbcTemplate.queryForList(query);
        // ok: java-sql-injection
        connection.prepareStatement("SELECT * FROM person WHERE name = ?").setString(1, name);
        // ok: java-sql-injection
        statement.executeQuery("SELECT " + COLUMNS + " FROM person");
        // ok: java-sql-injection
        statement.executeQuery("SELECT count(*) FROM " + tableName);
        // ok: java-sql-injection
        digest.update("from: " + name);
        // ok: java-sql-injection
        cache.execute("refresh " + name);
    }
}
