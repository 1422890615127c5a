// A ticket that is shown follows its events: read again in place, but never while its reader types or chooses.
let wanted = false, reading = false;

const busy = () => document.querySelector("#pane details.act[open], #pane :is(input, select, textarea):focus") !== null
  || String(getSelection()).length > 0;

async function follow() {
  const shown = document.getElementById("matter");
  if (!wanted || reading || !shown || !window.htmx || busy()) return;
  wanted = false;
  reading = true;
  const box = document.getElementById("thing"), top = box.scrollTop;
  try {
    await window.htmx.ajax("GET", `/tickets/${shown.dataset.ticket}`, { target: "#pane", select: "#pane", swap: "outerHTML" });
    document.getElementById("thing").scrollTop = top;
  } catch { /* the stream says when the server is lost */ }
  reading = false;
}

// What was begun while the matter was read is left alone; it is read once more when that is done.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!reading || !busy() || detail.target.id !== "pane" || detail.requestConfig.elt.matches("a, form")) return;
  detail.shouldSwap = false;
  wanted = true;
});

document.addEventListener("live:tickets", ({ detail }) => {
  const shown = document.getElementById("matter");
  if (!shown || detail?.id && detail.id !== shown.dataset.ticket) return;
  wanted = true;
  follow();
});
setInterval(follow, 1000);
