export function Comment({ text, html }: Props) {
  // ruleid: javascript-dangerously-set-html
  const first = <div dangerouslySetInnerHTML={{ __html: text }} />;
  // ruleid: javascript-dangerously-set-html
  const second = <p className="a" dangerouslySetInnerHTML={{ __html: html.body }}></p>;
  // ok: javascript-dangerously-set-html
  const third = <div dangerouslySetInnerHTML={{ __html: DOMPurify.sanitize(text) }} />;
  // ok: javascript-dangerously-set-html
  const fourth = <div>{text}</div>;
  // ok: javascript-dangerously-set-html
  const fifth = <div dangerouslySetInnerHTML={{ __html: "<b>fixed</b>" }} />;
  return [first, second, third, fourth, fifth];
}
