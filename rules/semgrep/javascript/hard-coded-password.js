function login(password, req) {
  // ruleid: javascript-hard-coded-password
  if (password === "hunter2!") {
    return true;
  }
  // ruleid: javascript-hard-coded-password
  if (req.body.password == "letmein99") {
    return true;
  }
  // ok: javascript-hard-coded-password
  if (password === "") {
    return false;
  }
  // ok: javascript-hard-coded-password
  if (req.body.type === "password") {
    return false;
  }
  // ok: javascript-hard-coded-password
  return password === stored;
}
