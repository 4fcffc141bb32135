const jwt = require("jsonwebtoken");

function check(token, key, req) {
  // ruleid: javascript-jwt-unverified
  const first = jwt.verify(token, key, { algorithms: ["HS256", "none"] });
  // ruleid: javascript-jwt-unverified
  const second = jwt.sign({ id: 1 }, null, { algorithm: "none" });
  // ok: javascript-jwt-unverified
  const third = jwt.verify(token, key, { algorithms: ["RS256"] });
  // ok: javascript-jwt-unverified
  const header = jwt.decode(token, { complete: true });
  return [first, second, third, header];
}
