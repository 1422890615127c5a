// The talk of a live call: words appear as they are spoken, resident left, us right, each with its second.
// Words not final come with the news; what is final, understood or done is read again from the server, in place.
import { minutes } from "./clock.js";

const WHOLE = new Set(["call.ended", "recording.stored", "recording.deleted", "call.transcribed"]);
const near = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 140;

function line(talk, leg, start) {
  const item = talk.querySelector("#turn-shape").content.firstElementChild.cloneNode(true);
  item.dataset.turn = `${leg}-${start}`;
  item.dataset.at = start;
  item.dataset.leg = leg;
  item.classList.add(leg === "caller" ? "caller" : "ours", "partial");
  item.querySelector("time").textContent = minutes(start);
  if (leg === "agent") {
    const who = item.querySelector("[data-who]");
    who.textContent = talk.dataset.whoAgent;
    who.hidden = false;
  }
  talk.querySelector("#turn-shape").before(item);
  return item;
}

// The newest words of each side: what is read again from the server may be a moment older than they are.
const newest = new Map();
const KEPT_MS = 8000;

function restore() {
  const talk = document.querySelector(".talk[data-call]");
  for (const [leg, { detail, at }] of newest) {
    if (!talk || detail.call !== talk.dataset.call) continue;
    const final = [...talk.querySelectorAll(`li[data-turn^="${leg}-"]:not(.partial)`)]
      .some((item) => Number(item.dataset.at) >= detail.start_ms - 100);
    if (final || Date.now() - at > KEPT_MS) newest.delete(leg);
    else show(talk, detail);
  }
}

function show(talk, detail) {
  const item = talk.querySelector(`li.partial[data-leg="${detail.leg}"]`) ?? line(talk, detail.leg, detail.start_ms);
  item.querySelector("p").textContent = detail.text;
  talk.querySelector("[data-silence]")?.remove();
}

document.addEventListener("live:text", ({ detail }) => {
  if (detail.text) newest.set(detail.leg, { detail, at: Date.now() });
  for (const last of document.querySelectorAll(`[data-last-words="${detail.call}"]`)) last.textContent = detail.text;
  const talk = document.querySelector(`.talk[data-call="${detail.call}"]`);
  if (!talk || !detail.text) return;
  const box = document.getElementById("thing"), follow = near(box);
  show(talk, detail);
  talk.dataset.heardAt = String(Date.now());
  if (follow) box.scrollTop = box.scrollHeight;
});

let reading = null, again = false, whole = false, later = 0;

async function read() {
  const shown = document.getElementById("call");
  if (!shown || !window.htmx) return;
  if (reading) { again = true; return; }
  const box = document.getElementById("thing"), follow = near(box), address = `/calls/${shown.dataset.call}`;
  if (whole && document.querySelector('#pane details.act[open], call-player[data-playing="1"]')) {  // nothing jumps while one types or listens
    clearTimeout(later);
    later = setTimeout(read, 1500);
    return;
  }
  const all = whole;
  whole = false;
  reading = all
    ? window.htmx.ajax("GET", address, { target: "#pane", select: "#pane", swap: "outerHTML" })
    : window.htmx.ajax("GET", address, { target: "#talk", select: "#talk", swap: "outerHTML", selectOOB: "#chips,#who,#call-context" });
  try { await reading; } catch { /* the stream says when the server is lost */ }
  reading = null;
  restore();
  if (follow && shown.hasAttribute("data-is-live")) { const now = document.getElementById("thing"); now.scrollTop = now.scrollHeight; }
  if (again) { again = false; read(); }
}

document.addEventListener("live:calls", ({ detail }) => {
  const shown = document.getElementById("call");
  if (shown) {
    if (detail?.id && detail.id !== shown.dataset.call) return;
    if (!detail && !shown.hasAttribute("data-is-live")) return;
    whole ||= WHOLE.has(detail?.kind);
    read();
  } else if (detail?.kind === "call.ringing" && document.getElementById("today") && !document.querySelector("#pane:focus-within input")) {
    window.htmx?.ajax("GET", `/calls/${detail.id}`, { target: "#pane", select: "#pane", swap: "outerHTML" });
  }
});
