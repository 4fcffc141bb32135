// ruleid: javascript-nan-comparison
if (value === NaN) {
  stop();
}
// ok: javascript-nan-comparison
if (Number.isNaN(value)) {
  stop();
}
