const WORD = /\w+/g;
const PLAIN = /\w+/i;
const COUNTED = /\d+/g;

function known(text: string) {
  // ruleid: javascript-global-regex-test
  if (WORD.test(text)) {
    return true;
  }
  // ok: javascript-global-regex-test
  if (PLAIN.test(text)) {
    return true;
  }
  return false;
}
// ruleid: javascript-global-regex-test
const words = texts.filter((text) => WORD.test(text));
// ok: javascript-global-regex-test
const plain = texts.filter((text) => PLAIN.test(text));
function reset(text: string) {
  COUNTED.lastIndex = 0;
  // ok: javascript-global-regex-test
  if (COUNTED.test(text)) {
    return true;
  }
  return false;
}
