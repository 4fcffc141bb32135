export function label(user) {
  var name = user.name || "nobody";
  return "User " + name;
}
