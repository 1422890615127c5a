// Times that tick: <time is-due data-due=ms> counts down in words, <time data-since=ms> counts up as m:ss.
export const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

export function span(seconds) {
  let total = Math.floor(Math.abs(seconds));
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]].map(([unit, size]) => {
    const n = Math.floor(total / size);
    total -= n * size;
    return [unit, n];
  });
  let first = parts.findIndex(([, n]) => n);
  if (first < 0) first = 3;
  const two = first < 2 || (first === 2 && parts[2][1] < 10);
  return parts.slice(first, first + (two ? 2 : 1)).filter(([, n], i) => n || i === 0)
    .map(([unit, n]) => fill(texts[unit], { n })).join(" ");
}

export const minutes = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
};

export function tick(now = Date.now()) {
  for (const time of document.querySelectorAll("time[data-due]")) {
    const left = (Number(time.dataset.due) - now) / 1000;
    const text = fill(left >= 0 ? texts.left : texts.late, { time: span(left) });
    if (time.textContent !== text) time.textContent = text;
    time.classList.toggle("late", left < 0);
    time.classList.toggle("soon", left >= 0 && left < 900);
  }
  for (const time of document.querySelectorAll("time[data-since]")) {
    const text = minutes(now - Number(time.dataset.since));
    if (time.textContent !== text) time.textContent = text;
  }
}

setInterval(() => document.hidden || tick(), 1000);
document.addEventListener("visibilitychange", () => tick());
