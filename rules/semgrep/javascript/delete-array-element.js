function remove(items, table, item) {
  const index = items.indexOf(item);
  // ruleid: javascript-delete-array-element
  delete items[index];
  for (let i = 0; i < items.length; i++) {
    if (!items[i]) {
      // ruleid: javascript-delete-array-element
      delete items[i];
    }
  }
  // ok: javascript-delete-array-element
  delete table[item.name];
  // ok: javascript-delete-array-element
  items.splice(index, 1);
  for (let i = 0; i < items.length; i++) {
    // ok: javascript-delete-array-element
    delete table[items[i]];
  }
}
