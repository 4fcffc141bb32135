fun find(statement: Statement, connection: Connection, db: SQLiteDatabase, name: String, tableName: String) {
    // ruleid: kotlin-sql-injection
    statement.executeQuery("SELECT * FROM person WHERE name = '$name'")
    // ruleid: kotlin-sql-injection
    db.rawQuery("SELECT * FROM person WHERE name = '" + name + "'", null)
    // ok: kotlin-sql-injection
    db.rawQuery("SELECT * FROM person WHERE name = ?", arrayOf(name))
    // ok: kotlin-sql-injection
    statement.execute("DELETE FROM $tableName")
    // ok: kotlin-sql-injection
    log.update("selected: $name")
}
