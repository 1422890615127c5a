// Keyboard first: data-key on a button or field is its key; g and a letter goes to a section; j and k walk the list.
const typing = (node) => node?.matches?.("input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable]");
let waitingForPlace = 0;

function shown(node) {
  return node.offsetParent !== null || node.closest("details.drop, details:not([open])");
}

export function act(key) {
  for (const node of document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)) {
    if (node.disabled || !shown(node)) continue;
    if (typing(node)) node.focus();
    else if (node.tagName === "DETAILS") {
      node.open = !node.open;
      if (node.open) node.querySelector("input:not([type=hidden]), select, textarea, button")?.focus();
    } else node.click();
    return true;
  }
  return false;
}

export function nameOf(node) {
  if (node.dataset.does) return node.dataset.does;
  const copy = (node.querySelector("summary") ?? node).cloneNode(true);
  for (const key of copy.querySelectorAll("kbd, .count")) key.remove();
  return copy.textContent.trim();
}

function walk(step) {
  const rows = [...document.querySelectorAll(".rows a")].filter((row) => row.offsetParent !== null);
  if (!rows.length) return;
  let at = rows.indexOf(document.activeElement);
  if (at < 0) at = rows.findIndex((row) => row.hasAttribute("aria-current"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function go(letter) {
  const tab = document.querySelector(`[data-go="${CSS.escape(letter)}"]`);
  if (tab) tab.click();
  return Boolean(tab);
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    document.dispatchEvent(new CustomEvent("open-palette"));
    return;
  }
  if (event.key === "Escape") {
    const left = document.activeElement;
    if (typing(left)) left.blur();
    for (const open of document.querySelectorAll("details.drop[open], details.act[open]")) {
      open.open = false;
      if (open.contains(left)) open.querySelector("summary").focus();
    }
    return;
  }
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key; // R is not r; a locked shift is
  if (waitingForPlace && Date.now() - waitingForPlace < 1200) {
    waitingForPlace = 0;
    if (go(key)) event.preventDefault();
    return;
  }
  if (key === "g") waitingForPlace = Date.now();
  else if (key === "/") { event.preventDefault(); (document.querySelector(".list input[type=search]") ?? document.getElementById("find")).focus(); }
  else if (key === "j" || key === "ArrowDown" && document.activeElement?.closest?.(".rows")) { event.preventDefault(); walk(1); }
  else if (key === "k" || key === "ArrowUp" && document.activeElement?.closest?.(".rows")) { event.preventDefault(); walk(-1); }
  else if (key !== " " || !document.activeElement?.matches("button, a, summary")) { if (act(key === " " ? "space" : key)) event.preventDefault(); }
});

// The key list gathers what can be done on this page now.
document.getElementById("keys")?.addEventListener("toggle", () => {
  const list = document.getElementById("key-list");
  for (const old of list.querySelectorAll("[data-found]")) old.remove();
  const seen = new Set();
  for (const node of document.querySelectorAll("[data-key]")) {
    if (node.dataset.key === "?" || seen.has(node.dataset.key)) continue;
    seen.add(node.dataset.key);
    const item = document.createElement("li"), text = document.createElement("span"), key = document.createElement("kbd");
    item.dataset.found = "";
    text.textContent = nameOf(node);
    key.textContent = node.dataset.key;
    item.append(text, key);
    list.append(item);
  }
});
