app.post("/login", (req, res) => {
  // ruleid: javascript-cookie-without-httponly
  res.cookie("session", token);
  // ruleid: javascript-cookie-without-httponly
  res.cookie("access_token", token, { secure: true });
  // ok: javascript-cookie-without-httponly
  res.cookie("session", token, { httpOnly: true, secure: true, sameSite: "lax" });
  // ok: javascript-cookie-without-httponly
  res.cookie("theme", "dark");
  // ok: javascript-cookie-without-httponly
  res.cookie("csrf_token", token);
  // ok: javascript-cookie-without-httponly
  res.cookie("session", token, options);
});
