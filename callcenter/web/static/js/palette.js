// Ctrl K: go to a ticket by number, search what was said, or do what this page can do.
import { texts } from "./clock.js";
import { nameOf } from "./keys.js";

const dialog = document.getElementById("palette");
const input = document.getElementById("palette-input");
const list = document.getElementById("palette-list");
let items = [], at = 0;

function commands(words) {
  const here = [...document.querySelectorAll(".tabs a, .drop a.item, [data-key]")]
    .filter((node) => node.dataset.key !== "?" || node.closest(".drop"))
    .map((node) => ({
      text: nameOf(node),
      hint: node.dataset.go ? `g ${node.dataset.go}` : node.dataset.key ?? "",
      run: () => { if (node.tagName === "DETAILS") { node.open = true; node.querySelector("input:not([type=hidden]), select, textarea")?.focus(); } else if (node.matches("input, select, textarea")) node.focus(); else node.click(); },
    }))
    .filter((one) => one.text && one.text.toLowerCase().includes(words.toLowerCase()));
  const found = [];
  if (/^\d{6,}$/.test(words)) found.push({ text: `№ ${words}`, hint: "", href: `/tickets/${words}` });
  if (words) found.push({ text: texts.search.replace("{words}", words), hint: "/", href: `/search?q=${encodeURIComponent(words)}` });
  return [...found.filter((one) => one.href.startsWith("/tickets")), ...here, ...found.filter((one) => one.href.startsWith("/search"))];
}

function draw() {
  items = commands(input.value.trim());
  at = Math.min(at, Math.max(0, items.length - 1));
  list.replaceChildren(...items.map((one, index) => {
    const item = document.createElement("li"), link = document.createElement("a"), hint = document.createElement("span");
    item.role = "option";
    item.id = `palette-${index}`;
    item.ariaSelected = String(index === at);
    link.href = one.href ?? "#";
    link.tabIndex = -1;
    link.textContent = one.text;
    hint.className = "quiet";
    hint.textContent = one.hint;
    link.append(hint);
    link.addEventListener("click", (event) => { if (!one.href) { event.preventDefault(); run(one); } });
    item.append(link);
    return item;
  }));
  input.setAttribute("aria-activedescendant", `palette-${at}`);
}

function run(one) {
  dialog.close();
  if (!one) return;
  if (one.href) location.href = one.href;
  else one.run();
}

document.addEventListener("open-palette", () => { if (!dialog || dialog.open) return; input.value = ""; at = 0; draw(); dialog.showModal(); input.focus(); });
input?.addEventListener("input", () => { at = 0; draw(); });
input?.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    at = (at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % Math.max(1, items.length);
    draw();
    list.children[at]?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Enter") { event.preventDefault(); run(items[at]); }
});
