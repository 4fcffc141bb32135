const libxmljs = require("libxmljs");

function read(text) {
  // ruleid: javascript-xxe
  const first = libxmljs.parseXml(text, { noent: true });
  // ruleid: javascript-xxe
  const second = libxmljs.parseXmlString(text, { noblanks: true, noent: true });
  // ok: javascript-xxe
  const third = libxmljs.parseXml(text, { noent: false });
  // ok: javascript-xxe
  const fourth = libxmljs.parseXml(text);
  return [first, second, third, fourth];
}
