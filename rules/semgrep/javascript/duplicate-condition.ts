function price(kind: string, count: number) {
  // ruleid: javascript-duplicate-condition
  if (kind === "book") {
    return 1;
  } else if (kind === "book") {
    return 2;
  }
  // ruleid: javascript-duplicate-condition
  if (count > 9) {
    return 3;
  } else if (count > 5) {
    return 4;
  } else if (count > 9) {
    return 5;
  }
  // ok: javascript-duplicate-condition
  if (kind === "book") {
    return 6;
  } else if (kind === "film") {
    return 7;
  }
  // ok: javascript-duplicate-condition
  if (next()) {
    return 8;
  } else if (next()) {
    return 9;
  }
  return 10;
}
