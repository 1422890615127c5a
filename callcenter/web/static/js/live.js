// News from the server: one event stream for the page. Lists refresh when the reader is not on them; the loss of the
// server is said at once; a new emergency makes a sound that one can set, and stays until someone takes it.
const lost = document.getElementById("lost");
const alarms = document.getElementById("alarms");
const waiting = new Set();
let source = null, last = Date.now(), wait = 1000, opened = false;

const emit = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

function connect() {
  source?.close();
  source = new EventSource("/live");
  source.onopen = () => {
    last = Date.now();
    wait = 1000;
    if (lost) lost.hidden = true;
    if (opened) { emit("live:calls"); emit("live:tickets"); emit("live:again"); }
    opened = true;
    document.body.dataset.live = "on";
  };
  source.onerror = () => {
    document.body.dataset.live = "off";
    if (lost && !leaving) lost.hidden = false;
    if (source.readyState === EventSource.CLOSED) { setTimeout(connect, wait); wait = Math.min(wait * 2, 15000); }
  };
  for (const name of ["counts", "calls", "tickets", "text", "labels", "alarm", "hello", "ping"]) {
    source.addEventListener(name, (event) => {
      last = Date.now();
      if (lost && navigator.onLine) lost.hidden = true;
      emit(`live:${name}`, JSON.parse(event.data));
    });
  }
}

let leaving = false;
window.addEventListener("pagehide", () => { leaving = true; source?.close(); });
window.addEventListener("offline", () => { if (lost) lost.hidden = false; });
window.addEventListener("online", () => connect());
window.addEventListener("server-lost", () => { if (lost) lost.hidden = false; });
setInterval(() => { if (Date.now() - last > 25000 && !leaving) { if (lost) lost.hidden = false; connect(); last = Date.now(); } }, 5000);

document.addEventListener("live:counts", ({ detail }) => {
  for (const [name, n] of Object.entries(detail)) {
    const badge = document.getElementById(`count-${name}`);
    if (!badge) continue;
    badge.textContent = n;
    badge.hidden = !n;
  }
});

// Parts of the page that say data-refresh="calls" (or tickets) are loaded again, in place, when such news comes.
function busy(part) { return part.matches(":hover") || part.contains(document.activeElement); }
function refresh(part) { waiting.delete(part); window.htmx?.trigger(part, "refresh"); }
for (const name of ["calls", "tickets"]) {
  document.addEventListener(`live:${name}`, ({ detail }) => {
    for (const part of document.querySelectorAll(`[data-refresh~="${name}"]`)) {
      if (part.dataset.about && detail && detail.id && String(detail.id) !== part.dataset.about) continue;
      if (busy(part) && !("now" in part.dataset)) waiting.add(part);
      else refresh(part);
    }
  });
}
setInterval(() => { for (const part of [...waiting]) if (!part.isConnected) waiting.delete(part); else if (!busy(part)) refresh(part); }, 700);

// The sound of an emergency: two soft tones, again every 12 s until the line in the bar is gone.
let audio = null;
function sound() {
  const level = { on: 0.25, soft: 0.07 }[document.body.dataset.sound];
  if (!level) return;
  try { audio ??= new AudioContext(); } catch { return; }
  for (const [frequency, delay] of [[784, 0], [1047, 0.22]]) {
    const tone = audio.createOscillator(), gain = audio.createGain(), from = audio.currentTime + delay;
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(level, from + 0.03);
    gain.gain.exponentialRampToValueAtTime(0.001, from + 0.5);
    tone.connect(gain).connect(audio.destination);
    tone.start(from);
    tone.stop(from + 0.55);
  }
}
document.addEventListener("live:alarm", ({ detail }) => {
  if (!alarms) return;
  const known = alarms.querySelector(`[data-ticket="${detail.ticket}"]`);
  if (detail.taken) known?.remove();
  else if (!known && detail.html) {
    alarms.insertAdjacentHTML("beforeend", detail.html);
    sound();
  }
  alarms.hidden = !alarms.children.length;
});
setInterval(() => { if (alarms?.children.length && !alarms.querySelector("[data-quiet]")) sound(); }, 12000);
document.addEventListener("click", (event) => { const quiet = event.target.closest?.("[data-quieten]"); if (quiet) quiet.closest(".alarm").dataset.quiet = ""; });

if (document.querySelector(".bar")) connect();
