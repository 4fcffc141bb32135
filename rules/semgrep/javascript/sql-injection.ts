async function find(db: Pool, name: string, table: string) {
  // ruleid: javascript-sql-injection
  await db.query(`SELECT * FROM person WHERE name = '${name}'`);
  // ruleid: javascript-sql-injection
  await db.query("DELETE FROM person WHERE name = '" + name + "'");
  const sql = `UPDATE person SET name = '${name}'`;
  // ruleid: javascript-sql-injection
  await db.execute(sql);
  // ruleid: javascript-sql-injection
  await prisma.$queryRawUnsafe(`SELECT * FROM person WHERE name = '${name}'`);
  // ok: javascript-sql-injection
  await db.query("SELECT * FROM person WHERE name = $1", [name]);
  // ok: javascript-sql-injection
  await client.get(`/people/${name}`);
  // ok: javascript-sql-injection
  await prisma.$queryRaw`SELECT * FROM person WHERE name = ${name}`;
  // ok: javascript-sql-injection
  await db.query(`SELECT count(*) FROM ${table}`);
  // ok: javascript-sql-injection
  await db.run("select " + "1");
}
