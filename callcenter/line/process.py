"""The line: one process of the house, from its start to its drained end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any, Self

from callcenter.config import ROOT, Settings
from callcenter.dialplan.check import check, load_checked
from callcenter.dialplan.load import Dialplan, load_dialplan
from callcenter.errors import CallCenterError, ConfigError
from callcenter.line.aftercare import Aftercare, Gap
from callcenter.line.call import CallerCall
from callcenter.line.disk import LOOK_EVERY_S, DiskWatch
from callcenter.line.house import House
from callcenter.line.outbound import DialOrder, OutboundCall
from callcenter.line.recordings import CallNote
from callcenter.line.recovery import TrackFolder, adopt_journals
from callcenter.line.resident_call import SCRIPTS, ResidentCall, ResidentOrder
from callcenter.line.sounds import Sounds
from callcenter.line.surroundings import operator_extension, sites_from_files
from callcenter.log import get_logger
from callcenter.node.desks import desk_addresses
from callcenter.node.journal import Journal
from callcenter.node.link import LinkClient
from callcenter.node.numbers import NumberPool
from callcenter.role import on_signals, say, stay_alive, write_found
from callcenter.speech.services import SpeechServices
from callcenter.telephony.endpoint import Endpoint
from callcenter.telephony.events import Event, Fault, Incoming, Refused
from callcenter.telephony.exchange import ExchangeSettings

log = get_logger("line")
SNAPSHOT_WAIT_S = 3.0
"""A first start waits so long for the desk's snapshot; without it calls are answered all the same."""
LAST_WORDS_S = 4.0
AFTERCARE_S = 3.0
SHIPPED_S = 1.0
WORN_LOOK_S = 5.0
RTP_PORTS_PER_LINE = 100
TOLERATED = frozenset({"dialplan.prompt_stale"})


@dataclass(frozen=True)
class Ending:
    """How the line ended: exit code for the launcher."""

    code: int = 0


def load_dialplans(settings: Settings) -> dict[str, Dialplan]:
    """Every script that a dialled number may lead to, then those of our own calls.

    Raises DialplanError with file, line and mend.

    A recording that says an older text of its prompt is told and used: the hotline does not stay shut for that.
    """
    names = sorted(set(settings.line.dialplans.values()))
    if not names:
        raise ConfigError(
            "line.no_dialplan", "no dialplan is set", where="line.dialplans", mend='write "*" = "hotline.zh"'
        )
    if settings.edge.mode != "direct":  # without an edge nobody is rung
        languages = sorted({name.rpartition(".")[2] for name in names} & {"zh", "en"}) or ["zh"]
        names += [f"{script}.{language}" for script in SCRIPTS.values() for language in languages]
    return {name: _load_dialplan(ROOT / "dialplans" / f"{name}.yaml") for name in names}


def _load_dialplan(path: Path) -> Dialplan:
    problems = check(path)
    if not problems or any(problem.code not in TOLERATED for problem in problems):
        return load_checked(path)
    for problem in problems:
        say("notice", message=str(problem))
    return load_dialplan(path)


def allowed_networks(settings: Settings) -> tuple[IPv4Network, ...]:
    """Who may send INVITEs: the edges. In direct mode everybody whom `bind_host` lets in."""
    if settings.edge.mode == "direct":
        return ()
    hosts = ["127.0.0.0/8", str(settings.line.bind_host), *settings.line.edges]
    if not settings.edge.bind_host.is_unspecified:
        hosts.append(str(settings.edge.bind_host))
    try:
        return tuple(IPv4Network(ip_network(host, strict=False)) for host in hosts)
    except ValueError as error:
        raise ConfigError("config.invalid", str(error), where="line.edges", mend="write addresses or CIDR") from error


class Line:
    """One line process. `run` returns when it has drained."""

    def __init__(self, settings: Settings, number: int, config: Path | None = None) -> None:
        self._settings, self._number, self._config = settings, number, config
        self._calls: dict[int, CallerCall] = {}
        self._ours: dict[str, OutboundCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._after: set[asyncio.Task[None]] = set()
        self._words: set[asyncio.Task[None]] = set()
        self._drain, self._at_once = asyncio.Event(), asyncio.Event()
        self._idle = asyncio.Event()
        self._house: House | None = None
        self._aftercare: Aftercare | None = None

    async def run(self) -> Ending:
        """Start, say ready, take calls, drain. Raises CallCenterError for what a person must mend."""
        settings = self._settings
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2, thread_name_prefix="line"))
        on_signals(self._drain, self._at_once)
        folder = TrackFolder(settings, self._number)
        node = settings.var_dir / "node"
        left = folder.left_behind()
        adopted = adopt_journals(node / "journals")
        journal = Journal.create(node / "journals")
        numbers = NumberPool(node, self._number)
        link = LinkClient(
            settings, role="line", number=self._number, journal=journal, numbers=numbers, on_command=self._command
        )
        for dead in adopted:
            link.adopt(dead)
        async with contextlib.AsyncExitStack() as stack:
            services = await stack.enter_async_context(SpeechServices(settings.run_dir / "speech.sock"))
            background = await stack.enter_async_context(_Background())
            background.start(link.run())
            house = await self._furnish(journal, link, services, folder)
            self._aftercare = Aftercare(settings, journal, link.outbox, house.transcriber_url)
            for note in left:
                gaps = [(note.text_to_ms, None)]
                self._keep(self._finish(note, gaps, had_gap=True), self._after)
            await self._first_snapshot(link, house)
            disk = DiskWatch(settings.var_dir, settings.line.reserve_mb, self._disk_changed)
            disk.look()
            name = f"line-{self._number}"
            write_found(settings.run_dir, name, {"sip": house.endpoint.sip_port})
            self._open_or_close()
            await house.endpoint.settled()
            say("ready", role=name, ports={"sip": house.endpoint.sip_port})
            log.info("line_ready", sip_port=house.endpoint.sip_port, legs=house.endpoint.leg_limit)
            watches = (disk.run(), self._watch_duty(), self._watch_ports(house.endpoint))
            for work in (stay_alive(house.endpoint.works), *watches):
                background.start(work)
            await self._until_drained(house.endpoint)
            if link.linked:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SHIPPED_S):
                        await link.shipped()
        await house.endpoint.stop()
        journal.close()
        return Ending()

    async def _furnish(
        self, journal: Journal, link: LinkClient, services: SpeechServices, folder: TrackFolder
    ) -> House:
        """Load everything a call needs before the first can come."""
        settings, line = self._settings, self._settings.line
        dialplans = load_dialplans(settings)
        sounds = Sounds(lambda text, language: services.say(text, language=language))
        for plan in dialplans.values():
            sounds.load(plan.prompts.wav_files())
        import aiortc  # noqa: F401 — browsers' headsets; loading it during a call would stop the audio

        first = next(iter(dialplans.values()))
        wait = first.prompts.clips(first.script.phrases.wait)
        apology = [frame for clip in wait for frame in await sounds.frames(clip, first.language)]
        exchange = ExchangeSettings(
            bind_host=str(line.bind_host),
            sip_port=line.sip_port_first + self._number - 1 if line.sip_port_first else 0,
            rtp_port_first=line.rtp_port_first + RTP_PORTS_PER_LINE * (self._number - 1),
            rtp_ports=RTP_PORTS_PER_LINE,
            # behind an edge, the edge puts the public address in: phones inside must see the private one
            public_address=settings.edge.public_address if settings.edge.mode == "direct" else None,
            allowed=allowed_networks(settings),
            max_callers=line.callers_per_line,
            user=settings.edge.caller_number or "hotline",
            accept=True,
            ack_timeout_s=line.ack_timeout_s,
            rtp_negotiated_only=line.rtp_source == "negotiated",
            apology=tuple(apology),
            record_dir=folder.path,
        )
        endpoint = Endpoint(exchange, self._event)
        endpoint.start()
        endpoint.accept(False)
        if line.callers_per_line * 2 > endpoint.leg_limit:
            say(
                "notice",
                message=f"line.callers_per_line = {line.callers_per_line}: a line carries {endpoint.leg_limit} legs, "
                f"so not every caller can be bridged to a person's phone; {endpoint.leg_limit // 2} is the most",
            )
        self._house = House(
            settings=settings, number=self._number, endpoint=endpoint, journal=journal, link=link, services=services,
            sounds=sounds, dialplans=dialplans, record_dir=folder.path,
        )  # fmt: skip
        gc.collect()
        gc.freeze()  # what is loaded stays; the collector need not look at it in the middle of a call
        log.info("prompts_loaded", seconds=round(sounds.loaded_s))
        return self._house

    async def _first_snapshot(self, link: LinkClient, house: House) -> None:
        """Wait a moment for a desk that is there; without one the site's own files serve, without those the call."""
        if link.snapshot is None and desk_addresses(self._settings):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SNAPSHOT_WAIT_S):
                    while link.snapshot is None:  # noqa: ASYNC110 — one listener only, and it may never come
                        await asyncio.sleep(0.05)
        if link.snapshot is None:
            house.fallback = await sites_from_files(self._config)
            kind = "the site's files serve" if house.fallback else "calls are answered, the desk decides afterwards"
            say("notice", message=f"no snapshot from a desk yet: {kind}")

    # events

    def _event(self, event: Event) -> None:
        house = self._house
        if house is None:
            return
        match event:
            case Incoming():
                call = CallerCall(house, event)
                self._calls[event.leg] = call
                house.watch(event.leg, call.take)
                call.begin()
                self._keep(self._run_call(call), self._tasks)
            case Refused(status=status, reason=reason):
                log.warning("call_refused", status=status, reason=reason)
            case Fault():
                pass  # logged where it arose
            case _:
                house.legs.take(event)

    async def _run_call(self, call: CallerCall) -> None:
        assert self._house is not None
        try:
            await call.run()
        finally:
            self._calls.pop(call.leg, None)
            self._house.watch(call.leg, None)
            if call.note is not None:
                self._keep(self._finish(call.note, call.missing, had_gap=call.had_gap), self._after)
            if not self._calls:
                self._idle.set()

    async def _finish(self, note: CallNote, gaps: Sequence[Gap], *, had_gap: bool) -> None:
        """The recording, which a stopping line waits for; then the words, which the next one may decode."""
        assert self._aftercare is not None
        if await self._aftercare.recording(note):
            self._keep(self._aftercare.words(note, gaps, had_gap=had_gap), self._words)

    def _keep(self, work: Awaitable[None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.ensure_future(work)
        among.add(task)
        task.add_done_callback(among.discard)
        task.add_done_callback(_report)

    def _disk_changed(self, low: bool, free_mb: int) -> None:
        assert self._house is not None
        house, line = self._house, self._settings.line
        house.low_disk = low
        house.endpoint.record_calls(not low)
        self._open_or_close()
        if not low:
            say("notice", message=f"the disk has room again ({free_mb} MB free): calls are taken by the script")
            return
        log.error("disk_below_reserve", free_mb=free_mb, reserve_mb=line.reserve_mb)
        say(
            "notice",
            message=f"ALARM: {free_mb} MB free, below line.reserve_mb = {line.reserve_mb}: new calls go to people. "
            f"Free space on the disk of {self._settings.var_dir}.",
        )

    def _open_or_close(self) -> None:
        """Take calls unless the line drains, or the disk has no room and nobody could be rung instead."""
        assert self._house is not None
        low = self._house.low_disk
        self._house.endpoint.accept(not self._drain.is_set() and (not low or self._people_can_be_rung()))

    def _people_can_be_rung(self) -> bool:
        """Whether somebody on duty has a phone, at any of the sites whose calls come here."""
        assert self._house is not None
        named = self._settings.site
        sites = map(self._house.site, {named.default, *named.dialled.values()})
        now = datetime.now(UTC)
        return self._settings.edge.mode != "direct" and any(
            site is not None and operator_extension(site, now) is not None for site in sites
        )

    async def _watch_duty(self) -> None:
        """Without room on the disk calls need somebody on duty with a phone: shifts change, and rosters do."""
        assert self._house is not None
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self._house.low_disk:
                self._open_or_close()

    async def _watch_ports(self, endpoint: Endpoint) -> None:
        """Very short calls leak conference ports: retire while some are left, when nobody is on the phone."""
        while not self._drain.is_set():
            if endpoint.worn_out and not self._calls:
                log.warning("line_retires", reason="few conference ports are left")
                self._drain.set()
            await asyncio.sleep(WORN_LOOK_S)

    # the end

    async def _until_drained(self, endpoint: Endpoint) -> None:
        await self._drain.wait()
        endpoint.accept(False)
        await endpoint.settled()
        say("draining", calls=len(self._calls))
        peace = asyncio.create_task(self._peace())
        hurry = asyncio.create_task(self._at_once.wait())
        await asyncio.wait({peace, hurry}, return_when=asyncio.FIRST_COMPLETED)
        if not peace.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    await asyncio.gather(*(call.goodbye() for call in list(self._calls.values())))
                    await peace
        peace.cancel()
        hurry.cancel()

    async def _peace(self) -> None:
        """Return when no call is left and the recordings are finished."""
        while self._calls or self._tasks:
            self._idle.clear()
            await asyncio.wait(set(self._tasks)) if self._tasks else await self._idle.wait()
        if self._after:
            await asyncio.wait(set(self._after), timeout=AFTERCARE_S)

    # commands of the desk

    async def _command(self, command: dict[str, Any]) -> dict[str, Any]:
        doing: dict[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            "hangup": self._hangup,
            "dial": self._dial,
            "verdict": self._settle,
        }
        name = str(command.get("command"))
        if name not in doing:
            raise CallCenterError("line.command_unknown", f"a line does not know the command {name!r}")
        return await doing[name](command)

    async def _dial(self, command: dict[str, Any]) -> dict[str, Any]:
        """Ring somebody; what comes of it is in the journal. Returns as soon as the call is under way."""
        assert self._house is not None
        if self._drain.is_set():
            raise CallCenterError("line.draining", "this line takes no new calls", retryable=True)
        if command.get("purpose") in {purpose.value for purpose in SCRIPTS}:
            return await self._dial_resident(command)
        call = await OutboundCall.dial(self._house, DialOrder.read(command, self._settings.site.default))
        self._ours[str(call.id)] = call
        self._keep(self._ring(call), self._tasks)
        return {"call": str(call.id)}

    async def _dial_resident(self, command: dict[str, Any]) -> dict[str, Any]:
        """A call-back or a follow-up: from here on a call of this line like those that come in."""
        assert self._house is not None
        call = await ResidentCall.dial(self._house, ResidentOrder.read(command, self._settings.site.default))
        self._calls[call.leg] = call
        call.begin()
        self._keep(self._run_call(call), self._tasks)
        return {"call": str(call.id)}

    async def _ring(self, call: OutboundCall) -> None:
        try:
            await call.run()
        finally:
            self._ours.pop(str(call.id), None)

    async def _settle(self, command: dict[str, Any]) -> dict[str, Any]:
        """What came of a person's key, said to them as the last sentence."""
        call = self._ours.get(str(command.get("call")))
        if call is None:
            raise CallCenterError("line.no_such_call", "that call is not on this line any more")
        call.settle(str(command.get("text") or ""))
        return {}

    async def _hangup(self, command: dict[str, Any]) -> dict[str, Any]:
        call = next((c for c in self._calls.values() if str(c.id) == command.get("call")), None)
        if call is None:
            raise CallCenterError("line.no_such_call", "that call is not on this line any more")
        call.end("script")
        return {}


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task_failed", error=f"{type(error).__name__}: {error}"[:300])


class _Background:
    """Tasks that run as long as the line; cancelled on leaving."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, work: Any) -> None:
        """Run `work` until the line ends."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(_report)
        self._tasks.append(task)
