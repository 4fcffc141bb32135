function run(url: string, stream: Stream) {
  // ruleid: javascript-swallowed-exception
  save(url).catch(() => {});
  // ruleid: javascript-swallowed-exception
  fetch(url).then(show).catch((error) => {});
  // ok: javascript-swallowed-exception
  save(url).catch((error) => log(error));
  // ok: javascript-swallowed-exception
  stream.cancel().catch(() => {});
}
