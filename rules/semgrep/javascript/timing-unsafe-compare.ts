function check(key: string, body: string, signature: string) {
  const expected = crypto.createHmac("sha256", key).update(body).digest("hex");
  // ruleid: javascript-timing-unsafe-compare
  if (signature !== expected) {
    throw new Error("signature");
  }
  // ruleid: javascript-timing-unsafe-compare
  return crypto.createHmac("sha256", key).update(body).digest("hex") === signature;
}

function fine(key: string, body: string, signature: string) {
  const expected = crypto.createHmac("sha256", key).update(body).digest("hex");
  // ok: javascript-timing-unsafe-compare
  if (signature.length !== expected.length) {
    return false;
  }
  // ok: javascript-timing-unsafe-compare
  return crypto.timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
}
