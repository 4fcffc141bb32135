const https = require("https");
// ruleid: javascript-tls-verify-off
const agent = new https.Agent({ rejectUnauthorized: false });
// ok: javascript-tls-verify-off
const safe = new https.Agent({ ca: certificate });
