async function allowed(user: User) {
  return (await roles(user)).includes("admin");
}
const ready = async () => {
  return true;
};
function known(user: User) {
  return user !== undefined;
}
const empty = (user: User) => {
  return user.name === "";
};
async function remove(user: User) {
  // ruleid: javascript-promise-in-condition
  if (allowed(user)) {
    drop(user);
  }
  // ruleid: javascript-promise-in-condition
  if (!ready()) {
    return;
  }
  // ok: javascript-promise-in-condition
  if (await allowed(user)) {
    drop(user);
  }
  // ok: javascript-promise-in-condition
  if (known(user) && !empty(user)) {
    drop(user);
  }
}
