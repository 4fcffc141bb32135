export function Page({ url }: Props) {
  // ruleid: javascript-async-effect
  useEffect(async () => {
    setText(await load(url));
  }, [url]);
  // ruleid: javascript-async-effect
  React.useEffect(async function () {
    await load(url);
  }, []);
  // ok: javascript-async-effect
  useEffect(() => {
    const run = async () => setText(await load(url));
    run();
  }, [url]);
  // ok: javascript-async-effect
  useEffect(() => log(url));
  return null;
}
