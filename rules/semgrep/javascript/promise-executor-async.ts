function load(url: string) {
  // ruleid: javascript-promise-executor-async
  return new Promise(async (resolve) => {
    resolve(await fetch(url));
  });
}
// ruleid: javascript-promise-executor-async
const later = new Promise(async function (resolve) {
  resolve(await load("/"));
});
// ok: javascript-promise-executor-async
const fine = new Promise((resolve) => setTimeout(resolve, 10));
// ok: javascript-promise-executor-async
const wrapped = new Promise((resolve, reject) => {
  load("/").then(async (answer) => resolve(answer), reject);
});
