app.get("/hello", (req, res) => {
  // ruleid: javascript-reflected-xss
  res.send(`<h1>Hello ${req.query.name}</h1>`);
});
app.get("/greet", (req, res) => {
  // ruleid: javascript-reflected-xss
  res.status(404).send("<p>No " + req.params.name + "</p>");
});
app.get("/echo", (req, res) => {
  // ruleid: javascript-reflected-xss
  res.send(req.query.text);
});
app.get("/fine", (req, res) => {
  // ok: javascript-reflected-xss
  res.send(`<h1>Hello ${escapeHtml(req.query.name)}</h1>`);
});
app.get("/json", (req, res) => {
  // ok: javascript-reflected-xss
  res.json({ name: req.query.name });
});
