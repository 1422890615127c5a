// Typed text is kept: fields marked data-draft are remembered in this tab until their form has been accepted.
import { texts } from "./clock.js";

const key = (field) => `draft:${location.pathname}:${field.dataset.draft}`;

document.addEventListener("input", (event) => {
  const field = event.target;
  if (field.dataset?.draft) sessionStorage.setItem(key(field), field.value);
});

let shown = ""; // the address whose forms were opened for their drafts: read again, it leaves closed what was closed

function restore(root) {
  for (const field of root.querySelectorAll?.("[data-draft]") ?? []) {
    const kept = sessionStorage.getItem(key(field));
    if (kept && kept !== field.value && !field.matches(":focus")) {
      field.value = kept;
      field.title = texts.kept;
      const around = field.closest("details");
      if (around && shown !== location.pathname) around.open = true;
    }
  }
  if (root === document || root.id === "pane") shown = location.pathname;
}

document.addEventListener("submit", (event) => {
  for (const field of event.target.querySelectorAll("[data-draft]")) field.dataset.sent = "1";
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) return;
  for (const field of event.detail.elt.querySelectorAll?.("[data-draft][data-sent]") ?? []) sessionStorage.removeItem(key(field));
});
document.addEventListener("htmx:load", (event) => restore(event.detail.elt));
restore(document);
