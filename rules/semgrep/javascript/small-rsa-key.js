const crypto = require("crypto");
// ruleid: javascript-small-rsa-key
const first = crypto.generateKeyPairSync("rsa", { modulusLength: 1024 });
// ruleid: javascript-small-rsa-key
crypto.generateKeyPair("rsa", { modulusLength: 512, publicExponent: 3 }, done);
// ok: javascript-small-rsa-key
const third = crypto.generateKeyPairSync("rsa", { modulusLength: 3072 });
// ok: javascript-small-rsa-key
const fourth = crypto.generateKeyPairSync("ed25519");
