// The keyboard stays where it was. A pane that is read again gives it back to the same control, or where that is no
// more, to the pane's content; what is refused is said in the form that was sent, and the keyboard goes to the field.
import { texts } from "./clock.js";

const FIELDS = "input:not([type=hidden]), select, textarea";
let held = ""; // stays while a button that was pressed is disabled, and so has lost the focus, until its answer is here

function selectorOf(node) {
  const act = node.closest("details.act[data-key]");
  if (act) return `details.act[data-key="${CSS.escape(act.dataset.key)}"] > summary`;
  if (node.dataset.key) return `[data-key="${CSS.escape(node.dataset.key)}"]`;
  return node.matches("a[href]") ? `a[href="${CSS.escape(node.getAttribute("href"))}"]` : "#thing";
}

function hold(target) {
  const on = document.activeElement;
  if (target.id === "pane" && on !== document.body) held = target.contains(on) ? selectorOf(on) : "";
}

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  for (const field of detail.elt.querySelectorAll?.("[aria-invalid]") ?? []) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  hold(detail.target);
});

// What could not be sent is said where it was asked for: the bar below tells of the server, not of this.
export function unsent(form) {
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.role = "alert";
  notice.textContent = texts.unsent;
  const place = form.querySelector("[data-refusal]") ?? document.getElementById("notices");
  place.replaceChildren(notice);
  notice.scrollIntoView({ block: "nearest" });
  window.dispatchEvent(new CustomEvent("server-lost"));
}

document.addEventListener("htmx:sendError", ({ detail }) => {
  const form = detail.requestConfig.elt;
  if (form.matches("form") && detail.requestConfig.verb === "post") unsent(form);
});
document.addEventListener("submit", (event) => {
  if (navigator.onLine || event.defaultPrevented || event.target.method !== "post") return;
  event.preventDefault();
  unsent(event.target);
});

// htmx would show a refusal above the content; a form that has a place for it is nearer to the eye.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.isError) detail.target = detail.requestConfig.elt.querySelector?.("[data-refusal]") ?? detail.target;
  else hold(detail.target);
});

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.failed) point(detail.requestConfig.elt, detail.target);
  else if (detail.target?.id === "pane" && held && document.activeElement === document.body) {
    (document.querySelector(`#pane ${held}`) ?? document.getElementById("thing")).focus({ preventScroll: true });
  }
});

function point(form, place) {
  const notice = place.querySelector(".notice");
  const named = [...place.querySelectorAll("[data-field]")].map((said) => form.elements?.[said.dataset.field]).filter((field) => field?.matches?.(FIELDS));
  for (const field of named) {
    field.setAttribute("aria-invalid", "true");
    if (notice) field.setAttribute("aria-describedby", notice.id);
  }
  (named[0] ?? form.querySelector?.("button:not([type=button])"))?.focus();
  notice?.scrollIntoView({ block: "nearest" });
}
