// Everything that lives on every page: keys, palette, clocks that tick, steps on a phone, news from the server.
import "./clock.js";
import "./keys.js";
import "./focus.js";
import "./palette.js";
import "./drafts.js";
import "./live.js";
import "./player.js";
import "./talk.js";
import "./matter.js";
import "./photo.js";

document.addEventListener("change", (event) => {
  const field = event.target;
  if (field.matches?.("[data-submit]")) field.form.requestSubmit();
});

document.addEventListener("click", (event) => {
  const step = event.target.closest?.("[data-step-to]");
  if (step) goToStep(step.dataset.stepTo);
  const opener = event.target.closest?.("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  const printer = event.target.closest?.("[data-print]");
  if (printer) window.print();
  for (const open of document.querySelectorAll("details.drop[open]")) if (!open.contains(event.target)) open.open = false;
});

// A roster wider than its place begins with today.
const today = document.querySelector(".roster .today");
if (today) today.closest(".roster").scrollLeft = today.offsetLeft - today.closest(".roster").clientWidth + today.offsetWidth;

function goToStep(step) {
  const frame = document.getElementById("frame");
  frame.dataset.step = step;
  for (const button of frame.querySelectorAll("[data-step-to]")) {
    if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(button.dataset.stepTo === step));
  }
}

// A row opened in place: mark it, and on a phone step from the list to the thing.
function markHere() {
  for (const row of document.querySelectorAll(".list .rows a")) {
    if (row.pathname === location.pathname) row.setAttribute("aria-current", "true");
    else if (/\d/.test(location.pathname)) row.removeAttribute("aria-current");
  }
}
document.addEventListener("htmx:pushedIntoHistory", () => { markHere(); goToStep("thing"); });
document.addEventListener("htmx:afterSettle", (event) => {
  const id = event.detail.target?.id;
  if (id === "rows") markHere();
  if (id !== "pane") return;
  markHere();
  goToStep(document.getElementById("frame").dataset.step);
  document.title = document.querySelector("#thing [data-title]")?.dataset.title ?? document.title;
});
document.addEventListener("htmx:sendError", () => window.dispatchEvent(new CustomEvent("server-lost")));
