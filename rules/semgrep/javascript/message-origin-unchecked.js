// ruleid: javascript-message-origin-unchecked
window.addEventListener("message", (event) => {
  panel.innerHTML = event.data.html;
});
// ruleid: javascript-message-origin-unchecked
window.addEventListener("message", (event) => {
  log(event);
  location.href = event.data;
});
// ok: javascript-message-origin-unchecked
window.addEventListener("message", (event) => {
  if (event.origin !== "https://gitlab.internal") {
    return;
  }
  panel.innerHTML = event.data.html;
});
// ok: javascript-message-origin-unchecked
window.addEventListener("message", (event) => {
  panel.textContent = event.data;
});
