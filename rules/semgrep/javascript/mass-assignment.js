app.post("/people", async (req, res) => {
  // ruleid: javascript-mass-assignment
  const person = await Person.create(req.body);
  // ruleid: javascript-mass-assignment
  await Person.findByIdAndUpdate(req.params.id, req.body);
  // ok: javascript-mass-assignment
  await Person.create({ name: req.body.name });
  // ok: javascript-mass-assignment
  await Person.create(schema.parse(req.body));
  res.json(person);
});
