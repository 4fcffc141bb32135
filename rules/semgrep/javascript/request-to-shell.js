const { exec, execFile } = require("child_process");
const vm = require("vm");

app.get("/run", (req, res) => {
  // ruleid: javascript-request-to-shell
  exec(req.query.command);
  const host = req.body.host;
  // ruleid: javascript-request-to-shell
  exec("ping " + host);
  // ruleid: javascript-request-to-shell
  vm.runInNewContext(req.body.code, {});
  // ok: javascript-request-to-shell
  execFile("ping", ["-c", "1", req.query.host]);
  // ok: javascript-request-to-shell
  exec("ping -c " + Number(req.query.count) + " localhost");
  res.send("done");
});
