export function label(user) {
  const name = user.name || "nobody";
  return `User ${name}`;
}
