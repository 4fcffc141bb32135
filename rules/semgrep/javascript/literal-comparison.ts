function empty(items: string[], table: object) {
  // ruleid: javascript-literal-comparison
  if (items === []) {
    return 1;
  }
  // ruleid: javascript-literal-comparison
  if (table != {}) {
    return 2;
  }
  // ok: javascript-literal-comparison
  if (items.length === 0) {
    return 3;
  }
  // ok: javascript-literal-comparison
  return Object.keys(table).length === 0;
}
