const crypto = require("crypto");

function seal(text, key, iv) {
  // ruleid: javascript-weak-cipher
  const first = crypto.createCipher("aes-256-cbc", "secret");
  // ruleid: javascript-weak-cipher
  const second = crypto.createCipheriv("des-ede3-cbc", key, iv);
  // ruleid: javascript-weak-cipher
  const third = crypto.createCipheriv("aes-128-ecb", key, null);
  // ok: javascript-weak-cipher
  const fourth = crypto.createCipheriv("aes-256-gcm", key, iv);
  // ok: javascript-weak-cipher
  const fifth = crypto.createHash("sha256");
  return [first, second, third, fourth, fifth];
}
