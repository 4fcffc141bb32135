function check(key: string, table: object, error: unknown) {
  // ruleid: javascript-not-in
  if (!key in table) {
    return 1;
  }
  // ruleid: javascript-not-in
  if (!error instanceof TypeError) {
    return 2;
  }
  // ok: javascript-not-in
  if (!(key in table)) {
    return 3;
  }
  // ok: javascript-not-in
  if (!(error instanceof TypeError)) {
    return 4;
  }
  // ok: javascript-not-in
  return key in table;
}
