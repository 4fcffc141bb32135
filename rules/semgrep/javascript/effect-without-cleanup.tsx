export function Clock({ onTick }: Props) {
  // ruleid: javascript-effect-without-cleanup
  useEffect(() => {
    window.addEventListener("resize", onTick);
  }, [onTick]);
  // ruleid: javascript-effect-without-cleanup
  useEffect(() => {
    const timer = setInterval(onTick, 1000);
    start(timer);
  }, []);
  // ok: javascript-effect-without-cleanup
  useEffect(() => {
    const timer = setInterval(onTick, 1000);
    return () => clearInterval(timer);
  }, [onTick]);
  // ok: javascript-effect-without-cleanup
  useEffect(() => {
    document.title = "Clock";
  }, []);
  return null;
}
