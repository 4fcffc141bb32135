function total(items) {
  let sum = 0;
  for (let i = 0; i <= items.length; i++) {
    // ruleid: javascript-index-past-end
    sum += items[i];
  }
  for (let i = 0; i < items.length; i++) {
    // ok: javascript-index-past-end
    sum += items[i];
  }
  return sum;
}
