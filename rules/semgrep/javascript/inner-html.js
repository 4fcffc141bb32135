function show(element, name, field) {
  // ruleid: javascript-inner-html
  element.innerHTML = `<b>${name}</b>`;
  // ruleid: javascript-inner-html
  element.innerHTML = field.value;
  // ruleid: javascript-inner-html
  document.write("<p>" + name + "</p>");
  // ruleid: javascript-inner-html
  element.insertAdjacentHTML("beforeend", "<li>" + name + "</li>");
  // ok: javascript-inner-html
  element.textContent = `Hello ${name}`;
  // ok: javascript-inner-html
  element.innerHTML = DOMPurify.sanitize(field.value);
  // ok: javascript-inner-html
  element.innerHTML = "<b>fixed</b>";
  // ok: javascript-inner-html
  element.innerHTML = `<b>${escapeHtml(name)}</b>`;
}
