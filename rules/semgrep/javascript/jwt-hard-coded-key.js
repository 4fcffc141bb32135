const jwt = require("jsonwebtoken");
const session = require("express-session");

// ruleid: javascript-jwt-hard-coded-key
const token = jwt.sign({ id: 1 }, "correct horse");
// ruleid: javascript-jwt-hard-coded-key
app.use(session({ secret: "keyboard cat", resave: false }));
// ok: javascript-jwt-hard-coded-key
const other = jwt.sign({ id: 1 }, process.env.JWT_KEY);
// ok: javascript-jwt-hard-coded-key
app.use(session({ secret: settings.secret, name: "sid" }));
