async function find(db: Pool, name: string) {
  // ruleid: javascript-sql-injection
  await db.query(`SELECT * FROM person WHERE name = '${name}'`);
  // ruleid: javascript-sql-injection
  await db.query("DELETE FROM person WHERE name = '" + name + "'");
  // ok: javascript-sql-injection
  await db.query("SELECT * FROM person WHERE name = $1", [name]);
  // ok: javascript-sql-injection
  await client.get(`/people/${name}`);
}
