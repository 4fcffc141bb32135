async function choose(items: Item[]) {
  // ruleid: javascript-async-predicate
  const open = items.filter(async (item) => await isOpen(item));
  // ruleid: javascript-async-predicate
  if (items.some(async (item) => { return isOpen(item); })) {
    return open;
  }
  // ok: javascript-async-predicate
  const states = await Promise.all(items.map(async (item) => isOpen(item)));
  // ok: javascript-async-predicate
  return items.filter((item, index) => states[index]);
}
