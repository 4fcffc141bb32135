function check(value: number) {
  if (value < 0) {
    // ruleid: javascript-throw-literal
    throw "must not be negative";
  }
  if (value > 9) {
    // ruleid: javascript-throw-literal
    throw `${value} is too big`;
  }
  if (value === 3) {
    // ok: javascript-throw-literal
    throw new RangeError("three");
  }
  try {
    use(value);
  } catch (error) {
    // ok: javascript-throw-literal
    throw error;
  }
}
