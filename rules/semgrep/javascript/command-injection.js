const { exec, execFile, spawn } = require("child_process");
const child_process = require("child_process");

function archive(name) {
  // ruleid: javascript-command-injection
  exec(`tar cf ${name}.tar ${name}`);
  // ruleid: javascript-command-injection
  child_process.execSync("ls " + name);
  // ruleid: javascript-command-injection
  spawn(`rm ${name}`, { shell: true });
  // ok: javascript-command-injection
  execFile("tar", ["cf", `${name}.tar`, name]);
  // ok: javascript-command-injection
  exec("ls -l");
  // ok: javascript-command-injection
  /a+/.exec(`x${name}`);
  // ok: javascript-command-injection
  spawn("rm", [`${name}.tar`]);
}
