// ruleid: javascript-map-parseint
const first = texts.map(parseInt);
// ruleid: javascript-map-parseint
const second = "1,2".split(",").map(Number.parseInt);
// ok: javascript-map-parseint
const third = texts.map((text) => parseInt(text, 10));
// ok: javascript-map-parseint
const fourth = texts.map(Number);
