// ruleid: javascript-nan-comparison
if (value === NaN) {
  stop();
}
// ruleid: javascript-nan-comparison
if (Number.NaN !== NaN) {
  stop();
}
// ok: javascript-nan-comparison
if (Number.isNaN(value)) {
  stop();
}
// ok: javascript-nan-comparison
if (value !== value) {
  stop();
}
