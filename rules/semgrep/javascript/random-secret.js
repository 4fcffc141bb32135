// ruleid: javascript-random-secret
const resetToken = Math.random().toString(36);
// ok: javascript-random-secret
const jitter = Math.random();
// ok: javascript-random-secret
const token = crypto.randomUUID();
