"""Real calls at rising load: ringing, answering, RTP, words on the page, tickets on the page, CPU and memory.

The house is `callcenter serve` in its service shape (edge, lines, speech, desk, embedded PostgreSQL) on free ports;
callers are bench.uac's; the pages are open in Chromium on the same machine and cost it too.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from bench import transcriber
from bench.page import Seen, Watcher
from bench.uac import Caller, CallTimes, alaw
from callcenter.config import Settings
from callcenter.demo import Desk, Door
from callcenter.serve.launcher import Launcher
from callcenter.speech.say import synthesise_to_wav

LIMITS = {
    "within_three_rings": (">=", 1.0),
    "ring_p99_ms": ("<=", 100.0),
    "answer_late_p99_ms": ("<=", 100.0),
    "rtp_gap_p99_ms": ("<=", 25.0),
    "rtp_gap_over_60ms": ("<=", 0.001),
    "word_to_page_p95_ms": ("<=", 1000.0),
    "ticket_p95_ms": ("<=", 1000.0),
    "transcriber_cpu_ratio": ("<=", 1.15),
    "line_pss_mb": ("<=", 120.0),
}
LOADS = (1, 2, 4, 8)
"""Callers at once; each load's calls arrive within ARRIVE_S."""
LINES = 4
ARRIVE_S = 2.0
THREE_RINGS_S = 11.0
SPEAK_AFTER_S = 11.0
"""The greeting and the notice are over by then."""
TALK_S = 22.0
SETTLE_S = 4.0
SAID = (
    "你好，{}的水龙头一直滴水，麻烦派人来修一下",
    "我要投诉楼上装修太吵了，我住{}",
    "我是{}的住户，我家门锁坏了打不开",
    "师傅，{}的下水道堵了，水下不去",
    "你好，{}的插座没有电了，请来看看",
    "请问一下，{}的暖气为什么不热",
    "我家窗户关不上了，我住{}，请来修理",
    "你好，{}的门铃按了没有声音，请来修理",
)
"""What the callers of one load say, each of a door of their own: a matter each, none joins another (R17)."""


def home_of(callers: int, n: int) -> str:
    """The door that caller `n` of a load of `callers` speaks of."""
    return f"{'一二三四五六七八九'[n]}号楼二单元{'一二三四五六七八九'[callers]}零一"


@dataclass
class Load:
    """One load's calls and what the house spent on them."""

    callers: int
    calls: list[CallTimes] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=dict)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0..1) of `values` lie; 0 of none."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else 0.0


def spread(values: list[float]) -> dict[str, float]:
    """p50, p95 and p99."""
    return {"p50": percentile(values, 0.5), "p95": percentile(values, 0.95), "p99": percentile(values, 0.99)}


def house_settings(folder: Path) -> Settings:
    """A service-shaped house on free ports of loopback."""
    return Settings.model_validate(
        {
            "node": {"var_dir": folder, "name": "bench"},
            "edge": {"sip_port": 0, "loopback_trunk": True, "new_calls_per_s": 50},
            "line": {"count": LINES, "rtp_port_first": 41000},
            "speech": {"port": 0},
            "desk": {"port": 0},
            "log": {"level": "warning"},
        }
    )


def cpu_by_role(launcher: Launcher) -> dict[str, float]:
    """CPU seconds each role and its children have spent so far."""
    spent: dict[str, float] = {}
    for name, child in launcher.children.items():
        if child.pid is None:
            continue
        process = psutil.Process(child.pid)
        for one in (process, *process.children(recursive=True)):
            times = one.cpu_times()
            role = name.split("-")[0]
            spent[role] = spent.get(role, 0.0) + times.user + times.system
    return spent


def pss_mb(pid: int) -> float:
    """Proportional memory of a process."""
    for row in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if row.startswith("Pss:"):
            return round(int(row.split()[1]) / 1024, 1)
    raise RuntimeError(f"/proc/{pid}/smaps_rollup has no Pss")


async def run_load(callers: int, launcher: Launcher, speech: list[bytes], numbers: list[str]) -> Load:
    """`callers` calls arriving within ARRIVE_S."""
    host, port = (launcher.sip_address or "").rsplit(":", 1)
    before = cpu_by_role(launcher)

    async def one(n: int) -> CallTimes:
        await asyncio.sleep(n * ARRIVE_S / callers)
        caller = Caller(host, int(port), numbers[n], speech[n], speak_after_s=SPEAK_AFTER_S, hang_up_after_s=TALK_S)
        return await caller.run()

    load = Load(callers, calls=await asyncio.gather(*(one(n) for n in range(callers))))
    load.cpu_s = {role: spent - before.get(role, 0.0) for role, spent in cpu_by_role(launcher).items()}
    await asyncio.sleep(SETTLE_S)
    return load


def gaps_ms(call: CallTimes) -> list[float]:
    """Times between the RTP packets of one call."""
    return [(b - a) / 1e6 for a, b in zip(call.received_ns, call.received_ns[1:], strict=False)]


def word_delays_ms(detail: dict[str, Any], seen: Seen) -> list[float]:
    """For each word that the caller said: from its end, by the transcript, until the page showed it."""
    shown = [(at, text) for at, call, text in seen.words if call == detail["id"]]
    began = datetime.fromisoformat(detail["answered_at"]).timestamp() * 1000
    delays = []
    for turn in detail["turns"]:
        if turn["leg"] != "caller":
            continue
        prefix = ""
        for word, _, end_ms, _ in turn["words"]:
            prefix += word
            first = next((at for at, text in shown if text.startswith(prefix)), None)
            if first is not None:
                delays.append(max(0.0, first - (began + end_ms)))
    return delays


def ticket_delay_ms(detail: dict[str, Any], ended_ms: float, seen: Seen) -> float | None:
    """From the hang-up until the page's row of the ticket had its last form; None when it never showed.

    What changes more than SETTLE_S later is the clock's doing (R13), unless nothing had changed before.
    """
    changes = sorted(at for at, number, _ in seen.news if number == str(detail["ticket"]))
    if not changes:
        return None
    soon = [at for at in changes if at < ended_ms + SETTLE_S * 1000]
    return max(0.0, (soon[-1] if soon else changes[0]) - ended_ms)


@dataclass(frozen=True)
class Measured:
    """What one run of the house gave. `offset` turns monotonic seconds into the clock's; `line_pss` in MB."""

    loads: list[Load]
    details: dict[str, dict[str, Any]]
    seen: Seen
    line_pss: list[float]
    offset: float


async def measure(folder: Path) -> Measured:
    """Every load in turn on one house."""
    settings = house_settings(folder)
    door = Door(settings)
    launcher = Launcher(settings, listener=door.hear)
    speech: dict[int, list[bytes]] = {}
    for callers in LOADS:
        for n, text in enumerate(SAID[:callers]):
            wav = folder / f"said-{callers}-{n}.wav"
            await asyncio.to_thread(synthesise_to_wav, wav, text.format(home_of(callers, n)), voice="f4")
            speech.setdefault(callers, []).append(alaw(wav))
    offset = time.time() - time.monotonic()
    try:
        await launcher.start()
        if not launcher.ready:
            raise RuntimeError("the house did not become ready; its log above says why")
        desk = Desk(launcher.desk_url or "", settings.var_dir / "secrets" / "tls.crt")
        await desk.log_in(door)
        loads = []
        async with Watcher(desk.url, door.login, door.password) as page:
            for step, callers in enumerate(LOADS):
                numbers = [f"139{step:02d}{n:02d}0000" for n in range(callers)]
                loads.append(await run_load(callers, launcher, speech[callers], numbers))
            seen = await page.seen()
        details = await all_details(desk)
        lines = [pss_mb(one.pid) for name, one in launcher.children.items() if name.startswith("line") and one.pid]
        await desk.http.close()
    finally:
        await launcher.hurry()
    return Measured(loads, details, seen, lines, offset)


async def all_details(desk: Desk) -> dict[str, dict[str, Any]]:
    """Every call of the desk, whole, by the caller's number."""
    rows = (await desk.get("/calls?limit=200"))["calls"]
    details = [await desk.get(f"/calls/{row['id']}") for row in rows]
    return {detail["from_number"]: detail for detail in details}


def figures(run: Measured) -> dict[str, Any]:
    """The figures: at the heaviest load, and each load's own below `by_load`."""
    by_load: dict[str, Any] = {}
    words: list[float] = []
    tickets: list[float] = []
    for load in run.loads:
        own = {call.number: run.details[call.number] for call in load.calls if call.number in run.details}
        load_words = [d for detail in own.values() for d in word_delays_ms(detail, run.seen)]
        load_tickets = [
            d
            for call in load.calls
            if call.number in own and call.ended is not None
            and (d := ticket_delay_ms(own[call.number], (call.ended + run.offset) * 1000, run.seen)) is not None
        ]  # fmt: skip
        words += load_words
        tickets += load_tickets
        answered = [call for call in load.calls if call.ringing is not None and call.answered is not None]
        gaps = [gap for call in load.calls for gap in gaps_ms(call)]
        talked_s = len(load.calls) * TALK_S
        by_load[str(load.callers)] = {
            "answered": len(answered),
            "within_three_rings": sum((c.answered or 0) - (c.ringing or 0) <= THREE_RINGS_S for c in answered)
            / load.callers,
            "invite_to_180_ms": spread([((c.ringing or 0) - c.invited) * 1000 for c in answered]),
            "answer_late_ms": spread([max(0.0, ((c.answered or 0) - (c.ringing or 0) - 1.0) * 1000) for c in answered]),
            "rtp_gap_ms": spread(gaps),
            "rtp_gap_over_60ms": round(sum(gap > 60 for gap in gaps) / max(1, len(gaps)), 5),
            "word_to_page_ms": spread(load_words),
            "hangup_to_ticket_ms": spread(load_tickets),
            "words": len(load_words),
            "tickets": len(load_tickets),
            "cpu_share_per_call": {role: round(spent / talked_s, 3) for role, spent in sorted(load.cpu_s.items())},
        }
    top = by_load[str(LOADS[-1])]
    return {
        "within_three_rings": top["within_three_rings"],
        "ring_p99_ms": top["invite_to_180_ms"]["p99"],
        "answer_late_p99_ms": top["answer_late_ms"]["p99"],
        "rtp_gap_p99_ms": top["rtp_gap_ms"]["p99"],
        "rtp_gap_over_60ms": top["rtp_gap_over_60ms"],
        "word_to_page_p95_ms": percentile(words, 0.95),
        "ticket_p95_ms": percentile(tickets, 0.95),
        "line_pss_mb": max(run.line_pss),
        "lines": LINES,
        "callers": LOADS[-1],
        "cores": os.cpu_count(),
        "by_load": by_load,
    }


def run() -> dict[str, Any]:
    """Measure in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-") as folder:
        measured = asyncio.run(measure(Path(folder)))
    ratio = transcriber.run()["transcriber_cpu_ratio"]
    return {**figures(measured), "transcriber_cpu_ratio": ratio}
