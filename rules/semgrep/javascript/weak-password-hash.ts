function store(password: string, user: User, body: string) {
  // ruleid: javascript-weak-password-hash
  const first = crypto.createHash("md5").update(password).digest("hex");
  // ruleid: javascript-weak-password-hash
  const second = crypto.createHash("sha256").update(user.password + user.salt).digest();
  // ok: javascript-weak-password-hash
  const third = crypto.createHash("sha256").update(body).digest("hex");
  // ok: javascript-weak-password-hash
  const fourth = crypto.scryptSync(password, user.salt, 64);
  return [first, second, third, fourth];
}
