function find(query: Query, name: string, column: string) {
  // ruleid: javascript-sequelize-literal
  query.whereRaw(`name = '${name}'`);
  // ruleid: javascript-sequelize-literal
  const rows = Person.findAll({ where: sequelize.literal("name = '" + name + "'") });
  // ok: javascript-sequelize-literal
  query.whereRaw("name = ?", [name]);
  // ok: javascript-sequelize-literal
  const order = sequelize.literal("random()");
  // ok: javascript-sequelize-literal
  query.orderByRaw(`${column} DESC`);
  return [rows, order];
}
