function check(left, right, value) {
  // ruleid: javascript-identical-operands
  if (left.name && left.name) {
    return 1;
  }
  // ruleid: javascript-identical-operands
  if (left.size === left.size) {
    return 2;
  }
  // ok: javascript-identical-operands
  if (left.name && right.name) {
    return 3;
  }
  // ok: javascript-identical-operands
  if (value !== value || value === value) {
    return 4;
  }
  // ok: javascript-identical-operands
  return next() || next();
}
// ruleid: javascript-identical-operands
const given = first !== null && first !== null;
// ok: javascript-identical-operands
const finite = first - first === 0;
