const _ = require("lodash");

app.post("/settings", (req, res) => {
  // ruleid: javascript-prototype-pollution
  _.merge(settings, req.body);
  // ruleid: javascript-prototype-pollution
  _.set(settings, req.query.key, req.query.value);
  // ok: javascript-prototype-pollution
  _.merge(settings, defaults);
  // ok: javascript-prototype-pollution
  _.pick(req.body, ["name"]);
  res.json(settings);
});
