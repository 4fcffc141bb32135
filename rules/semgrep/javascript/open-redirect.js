app.get("/back", (req, res) => {
  // ruleid: javascript-open-redirect
  res.redirect(req.query.next);
});
app.post("/login", (req, res) => {
  const target = req.body.returnTo || "/";
  // ruleid: javascript-open-redirect
  res.redirect(302, target);
});
app.get("/fine", (req, res) => {
  // ok: javascript-open-redirect
  res.redirect(`/pages/${req.params.id}`);
});
app.get("/checked", (req, res) => {
  const target = req.query.next;
  if (!isLocal(target)) {
    // ok: javascript-open-redirect
    return res.redirect("/");
  }
  // ok: javascript-open-redirect
  return res.redirect(target);
});
