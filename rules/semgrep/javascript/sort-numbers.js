function order(texts, prices, names) {
  // ruleid: javascript-sort-numbers
  const first = texts.map(Number).sort();
  // ruleid: javascript-sort-numbers
  const second = [10, 9, 1].sort();
  // ruleid: javascript-sort-numbers
  prices.sort();
  // ok: javascript-sort-numbers
  names.sort();
  // ok: javascript-sort-numbers
  prices.sort((a, b) => a - b);
  // ok: javascript-sort-numbers
  return [first, second, ["b", "a"].sort()];
}
