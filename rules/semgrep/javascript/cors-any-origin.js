const cors = require("cors");

// ruleid: javascript-cors-any-origin
app.use(cors({ origin: true, credentials: true }));
app.use((req, res, next) => {
  // ruleid: javascript-cors-any-origin
  res.setHeader("Access-Control-Allow-Origin", req.headers.origin);
  next();
});
// ok: javascript-cors-any-origin
app.use(cors({ origin: "https://a.internal", credentials: true }));
// ok: javascript-cors-any-origin
app.use(cors());
app.use((req, res, next) => {
  if (allowed.has(req.headers.origin)) {
    // ok: javascript-cors-any-origin
    res.setHeader("Access-Control-Allow-Origin", req.headers.origin);
  }
  next();
});
