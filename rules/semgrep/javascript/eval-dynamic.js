function calculate(text) {
  // ruleid: javascript-eval-dynamic
  const value = eval(text);
  // ruleid: javascript-eval-dynamic
  const later = new Function("x", text);
  // ok: javascript-eval-dynamic
  return JSON.parse(text) + eval("1 + 1") + later(value);
}
