async function store(items: Item[]) {
  // ruleid: javascript-async-foreach
  items.forEach(async (item) => {
    await save(item);
  });
  // ruleid: javascript-async-foreach
  items.forEach(async function (item) {
    await save(item);
  });
  // ok: javascript-async-foreach
  for (const item of items) {
    await save(item);
  }
  // ok: javascript-async-foreach
  await Promise.all(items.map(async (item) => save(item)));
  // ok: javascript-async-foreach
  items.forEach((item) => log(item));
}
