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
  // ruleid: javascript-index-past-end
  const last = items[items.length];
  // ok: javascript-index-past-end
  items[items.length] = sum;
  for (let i = 0; i <= items.length; i++) {
    // ok: javascript-index-past-end
    if (i === items.length || items[i] === ",") {
      sum += 1;
    }
  }
  return sum + last;
}
