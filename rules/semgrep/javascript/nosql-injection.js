app.post("/login", async (req, res) => {
  // ruleid: javascript-nosql-injection
  const user = await User.findOne({ name: req.body.name, password: req.body.password });
  // ruleid: javascript-nosql-injection
  await Session.deleteMany(req.query);
  const name = String(req.body.name);
  // ok: javascript-nosql-injection
  const other = await User.findOne({ name });
  // ok: javascript-nosql-injection
  const created = await User.create({ name: req.body.name });
  // ok: javascript-nosql-injection
  const byId = await User.findOne({ name: `${req.query.name}` });
  res.json([user, other, created, byId]);
});
