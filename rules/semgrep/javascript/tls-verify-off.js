const https = require("https");
// ruleid: javascript-tls-verify-off
const agent = new https.Agent({ rejectUnauthorized: false });
// ruleid: javascript-tls-verify-off
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
// ok: javascript-tls-verify-off
const safe = new https.Agent({ ca: certificate });
// ok: javascript-tls-verify-off
const strict = new https.Agent({ rejectUnauthorized: true });
