function check(mode: string, item: Item | null) {
  // ruleid: javascript-assignment-in-condition
  if (mode = "fast") {
    return 1;
  }
  // ruleid: javascript-assignment-in-condition
  while (item = null) {
    return 2;
  }
  // ok: javascript-assignment-in-condition
  while ((item = next())) {
    use(item);
  }
  // ok: javascript-assignment-in-condition
  if (mode === "fast") {
    return 3;
  }
  // ok: javascript-assignment-in-condition
  return mode === "slow" ? 4 : 5;
}
