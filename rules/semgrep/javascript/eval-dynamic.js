function calculate(text) {
  // ruleid: javascript-eval-dynamic
  const value = eval(text);
  // ruleid: javascript-eval-dynamic
  const later = new Function("x", text);
  // ruleid: javascript-eval-dynamic
  setTimeout("show(" + text + ")", 10);
  // ok: javascript-eval-dynamic
  setTimeout(() => show(text), 10);
  // ok: javascript-eval-dynamic
  const global = new Function("return this");
  // ok: javascript-eval-dynamic
  return JSON.parse(text) + eval("1 + 1") + later(value) + global();
}
