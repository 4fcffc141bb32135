const session = require("express-session");

// ruleid: javascript-cookie-httponly-off
app.use(session({ secret: key, cookie: { httpOnly: false } }));
app.get("/", (req, res) => {
  // ruleid: javascript-cookie-httponly-off
  res.cookie("auth", token, { httpOnly: false, secure: true });
  // ok: javascript-cookie-httponly-off
  res.cookie("xsrf-token", token, { httpOnly: false });
  // ok: javascript-cookie-httponly-off
  res.cookie("theme", "dark", { httpOnly: false });
});
