function words(text) {
  const found = [];
  let match;
  // ruleid: javascript-exec-in-loop-literal
  while ((match = /\w+/g.exec(text)) !== null) {
    found.push(match[0]);
  }
  // ruleid: javascript-exec-in-loop-literal
  while ((match = /\d+/.exec(text))) {
    found.push(match[0]);
  }
  const word = /\w+/g;
  // ok: javascript-exec-in-loop-literal
  while ((match = word.exec(text)) !== null) {
    found.push(match[0]);
  }
  // ok: javascript-exec-in-loop-literal
  while (/\s\s/.test(text)) {
    text = text.replace(/\s\s/, " ");
  }
  return found;
}
