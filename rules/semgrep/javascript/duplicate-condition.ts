function price(kind: string, count: number) {
  // ok: javascript-duplicate-condition
  if (kind === "book") {
    return 1;
    // ruleid: javascript-duplicate-condition
  } else if (kind === "book") {
    return 2;
  }
  if (count > 9) {
    return 3;
  } else if (count > 5) {
    return 4;
    // ruleid: javascript-duplicate-condition
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

function report(): number {
  const isFirst = false;
  const isSecond = false;
  if (isFirst) {
    return 1;
    // ok: javascript-duplicate-condition
  } else if (isSecond) {
    return 2;
  }
  return 0;
}
