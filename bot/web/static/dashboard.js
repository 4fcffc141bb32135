// What pages need once htmx has swapped their content: nobody loses their place, and everybody hears what happened.
"use strict";

const said = () => document.getElementById("said");

document.addEventListener("htmx:beforeRequest", () => {
  document.getElementById("main").setAttribute("aria-busy", "true");
  said().textContent = "Loading";
});

document.addEventListener("htmx:afterSettle", () => {
  const main = document.getElementById("main");
  main.removeAttribute("aria-busy");
  // htmx gives the focus back to what has an id and is still there; else it would start again at the top of the page.
  if (document.activeElement === null || document.activeElement === document.body) {
    main.focus({ preventScroll: true });
  }
  const heading = main.querySelector("h1");
  said().textContent = heading ? `${heading.textContent} is up to date` : "";
});

for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, () => {
    document.getElementById("main").removeAttribute("aria-busy");
    said().textContent = "Cloister cannot be reached. What you see is unchanged; try again in a moment.";
    said().classList.remove("unseen");
  });
}
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) said().classList.add("unseen");
});
