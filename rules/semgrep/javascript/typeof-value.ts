function show(value: unknown) {
  // ruleid: javascript-typeof-value
  if (typeof value === "array") {
    return 1;
  }
  // ruleid: javascript-typeof-value
  if (typeof value !== "null") {
    return 2;
  }
  // ok: javascript-typeof-value
  if (typeof value === "string") {
    return 3;
  }
  // ok: javascript-typeof-value
  return typeof value === "undefined" ? 4 : 5;
}
