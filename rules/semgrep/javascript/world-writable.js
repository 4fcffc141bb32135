const fs = require("fs");

// ruleid: javascript-world-writable
fs.chmodSync("/srv/run.sh", 0o777);
// ruleid: javascript-world-writable
fs.chmod("/srv/data", "666", done);
// ok: javascript-world-writable
fs.chmodSync("/srv/run.sh", 0o755);
// ok: javascript-world-writable
fs.writeFileSync("/srv/data", text, { mode: 0o600 });
