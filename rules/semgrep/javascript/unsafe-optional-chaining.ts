function show(user: User | undefined, list: string[], key: string) {
  // ruleid: javascript-unsafe-optional-chaining
  const first = (user?.name).length;
  // ruleid: javascript-unsafe-optional-chaining
  const second = [...user?.roles, "guest"];
  // ok: javascript-unsafe-optional-chaining
  const third = user?.name.length;
  // ok: javascript-unsafe-optional-chaining
  const fourth = [...(user?.roles ?? []), "guest"];
  // ok: javascript-unsafe-optional-chaining
  const fifth = { ...user?.options };
  // ok: javascript-unsafe-optional-chaining
  return [first, second, third, fourth, fifth, (user?.name ?? "").length];
}
