// ruleid: javascript-random-secret
const resetToken = Math.random().toString(36);
// ruleid: javascript-random-secret
this.sessionId = "s" + Math.floor(Math.random() * 1e9);
function makePassword() {
  // ruleid: javascript-random-secret
  return Math.random().toString(36).slice(2);
}
// ok: javascript-random-secret
const jitter = Math.random();
// ok: javascript-random-secret
const token = crypto.randomUUID();
// ok: javascript-random-secret
const tokenIndex = Math.floor(Math.random() * tokens.length);
