async function load(url: string) {
  const answer = await fetch(url);
  return answer.json();
}
const store = async (item: Item) => {
  await put(item);
};
async function first() {
  try {
    // ruleid: javascript-promise-not-awaited
    return load("/first");
  } catch (error) {
    return null;
  }
}
async function second(item: Item) {
  try {
    // ruleid: javascript-promise-not-awaited
    return store(item);
  } catch {
    return null;
  }
}
async function fine() {
  try {
    // ok: javascript-promise-not-awaited
    return await load("/fine");
  } catch (error) {
    return null;
  }
}
async function plain() {
  // ok: javascript-promise-not-awaited
  return load("/plain");
}
