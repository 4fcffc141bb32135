// What pages need once htmx has swapped their content: nobody loses their place, and everybody hears what happened.
"use strict";

const said = () => document.getElementById("said");

// Fields ask for suggestions, which the browser announces by itself.
const ofPage = (event) => event.detail.target?.id === "main";

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!ofPage(event)) return;
  document.getElementById("main").setAttribute("aria-busy", "true");
  said().textContent = "Loading";
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (!ofPage(event)) return;
  const main = document.getElementById("main");
  main.removeAttribute("aria-busy");
  // htmx gives the focus back to what has an id and is still there; else it would start again at the top of the page.
  if (document.activeElement === null || document.activeElement === document.body) {
    main.focus({ preventScroll: true });
  }
  const heading = main.querySelector("h1");
  // What has to be mended is an alert, and says so itself.
  said().textContent = heading && !main.querySelector("[role=alert]") ? `${heading.textContent} is up to date` : "";
});

for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    if (!ofPage(event)) return;
    document.getElementById("main").removeAttribute("aria-busy");
    said().textContent = "Cloister cannot be reached. What you see is unchanged; try again in a moment.";
    said().classList.remove("unseen");
  });
}
document.addEventListener("htmx:afterRequest", (event) => {
  if (ofPage(event) && event.detail.successful) said().classList.add("unseen");
});
