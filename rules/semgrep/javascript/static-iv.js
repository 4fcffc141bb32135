const crypto = require("crypto");

function seal(key, algorithm) {
  // ruleid: javascript-static-iv
  const first = crypto.createCipheriv("aes-256-cbc", key, Buffer.alloc(16, 0));
  // ruleid: javascript-static-iv
  const second = crypto.createCipheriv("aes-256-cbc", key, "0123456789abcdef");
  // ok: javascript-static-iv
  const third = crypto.createCipheriv("aes-256-cbc", key, crypto.randomBytes(16));
  // ok: javascript-static-iv
  const fourth = crypto.createCipheriv(algorithm, key, null);
  return [first, second, third, fourth];
}
