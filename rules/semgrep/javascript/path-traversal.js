const fs = require("fs");
const path = require("path");

app.get("/file", (req, res) => {
  // ruleid: javascript-path-traversal
  res.sendFile(path.join(__dirname, "files", req.query.name));
  const name = req.params.name;
  // ruleid: javascript-path-traversal
  const text = fs.readFileSync("/srv/files/" + name);
  // ruleid: javascript-path-traversal
  fs.unlink(req.body.path, () => {});
  // ok: javascript-path-traversal
  res.sendFile(path.join(__dirname, path.basename(req.query.name)));
  // ok: javascript-path-traversal
  res.sendFile(req.query.name, { root: "/srv/files" });
  // ok: javascript-path-traversal
  const page = fs.readFileSync(`/srv/pages/${Number(req.query.page)}.html`);
  res.json([text, page]);
});
