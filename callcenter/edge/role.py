"""The edge role: renders, runs and feeds Kamailio, and reports what was not served."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
from pathlib import Path

from callcenter.config import Settings
from callcenter.edge.calls import open_calls
from callcenter.edge.journals import open_journal
from callcenter.edge.kamailio import Kamailio
from callcenter.edge.lines import LineAddress, local_lines, remote_lines
from callcenter.edge.phones import PhoneBook, keep_phones, push_phones, read_phones
from callcenter.edge.ports import choose_port
from callcenter.edge.registrars import Registrars
from callcenter.edge.render import EdgeFiles, listed_networks, render, write_addresses, write_lines
from callcenter.edge.rpc import Rpc
from callcenter.edge.tail import Tail
from callcenter.edge.trunks import check_trunks, register_trunks
from callcenter.edge.undertaker import bury
from callcenter.edge.unserved import UnservedReporter, parse_unserved, redact
from callcenter.errors import CallCenterError, TelephonyError
from callcenter.log import get_logger
from callcenter.node.link import LinkClient, Phone
from callcenter.role import ALIVE_EVERY_S, say, write_found

log = get_logger("edge")

LOOK_S = 0.25
"""Lines that came or went are noticed this soon."""
TRUNKS_S = 60.0
"""Names of registrars are looked up again this often."""
GOODBYE_S = 3.0
GIVEN_UP_AFTER = 5
"""Questions in a row that a Kamailio leaves without an answer, each for `rpc.TIMEOUT_S`, while it is asked to close."""


class EdgeRole:
    """One edge: `run` returns the exit status. Kamailio's death ends the role; the launcher starts it again."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.external = settings.edge.mode == "external"
        self._stop = asyncio.Event()
        self._stops = 0
        self._ended = False
        """Kamailio is being ended: what its workers say of that is of no interest, a call that it refused is."""
        self._phones: PhoneBook = read_phones(settings)
        self._pushed: PhoneBook | None = None
        self._lines: list[LineAddress] = []
        self._rpc_failures = 0
        self._mark = secrets.randbits(30)
        self._met = False
        """This very Kamailio was told everything and bears our mark: somebody else's remembers what an edge before us
        said, and may be started again without us."""
        self._registrars = Registrars(settings)
        self._networks: list[str] | None = None
        self._registered = False
        self._anew = asyncio.Event()
        self.journal = open_journal(settings)
        self.reporter = UnservedReporter(settings, self.journal.own)
        self.link = LinkClient(settings, role="edge", number=1, journal=self.journal.own, on_phones=self._take_phones)
        for left in self.journal.left_behind:
            self.link.adopt(left)

    # -- from outside -----------------------------------------------------------------------------------------

    def signal(self) -> None:
        """SIGTERM: refuse new calls, end with the last call. Again: end now."""
        self._stops += 1
        self._stop.set()

    def _take_phones(self, version: int, phones: list[Phone]) -> None:
        self._phones = keep_phones(self.settings, version, phones)

    def _on_log(self, line: str) -> None:
        report = parse_unserved(line)
        if report is not None:
            self.reporter.take(report)
        elif not self._ended and any(level in line for level in ("WARNING", "ERROR", "CRITICAL", "ALERT", "BUG")):
            log.warning("kamailio.said", words=redact(line))

    # -- life -------------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Until told to stop, or until Kamailio dies (status 1)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.signal)
        settings = self.settings
        run_dir = settings.run_dir
        remote_lines(settings)  # what is wrong in the settings is told before anything starts
        check_trunks(settings)
        before = run_dir / "edge.json"
        host = str(settings.edge.bind_host)
        held = self.external
        sip_port = await asyncio.to_thread(choose_port, host, settings.edge.sip_port, before, "sip", held=held)
        inside = None
        if settings.edge.public_address:
            inside = await asyncio.to_thread(choose_port, host, settings.edge.inside_port, before, "inside", held=held)
        self._lines = self._see_lines()
        registrars = self._registrars.networks
        files = await asyncio.to_thread(render, settings, sip_port, inside, self._lines, registrars)
        link = asyncio.create_task(self.link.run(), name="link")
        kamailio = None if self.external else Kamailio(settings, files, self._on_log)
        try:
            if kamailio is not None:
                await kamailio.check()
                await kamailio.start()
            return await self._serve(files, kamailio, before)
        finally:
            self._ended = True
            if kamailio is not None:
                await kamailio.stop()
            self.reporter.flush(everything=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.link.shipped(), GOODBYE_S if self.link.linked else 0.01)
            link.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await link
            self.journal.close()

    async def _serve(self, files: EdgeFiles, kamailio: Kamailio | None, told: Path) -> int:
        rpc = Rpc(files.rpc_socket)
        tail = None
        if kamailio is None:
            log.warning("edge.external", config=str(files.config), log=str(told.with_name("kamailio.log")))
            log_file = Tail(told.with_name("kamailio.log"))
            tail = asyncio.create_task(log_file.follow(self._on_log), name="kamailio log")
        died = asyncio.create_task(kamailio.wait()) if kamailio else None
        trunks = asyncio.create_task(self._keep_trunks(files, rpc), name="trunks")
        try:
            ports = {"sip": files.sip_port}
            if files.inside_port is not None:
                ports["inside"] = files.inside_port
            ready = False
            loop = asyncio.get_running_loop()
            next_alive = 0.0
            while not self._stop.is_set():
                if died is not None and died.done():
                    log.error("kamailio.died", status=died.result())
                    return 1
                if trunks.done():
                    trunks.result()
                await self._look(files, rpc)
                if loop.time() >= next_alive and await self._well(rpc):
                    next_alive = loop.time() + ALIVE_EVERY_S
                    phones_known = self._pushed is self._phones
                    if not ready and phones_known and await self._sees_a_line(rpc):
                        ready = True
                        write_found(self.settings.run_dir, "edge", ports)
                        say("ready", role="edge", ports=ports)
                    say("alive")
                self.reporter.flush()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), LOOK_S)
            await self._drain(files, rpc, died)
            return 0
        finally:
            rpc.close()
            for task in (tail, died, trunks):
                if task is not None:
                    task.cancel()

    def _see_lines(self) -> list[LineAddress]:
        return [*local_lines(self.settings), *remote_lines(self.settings)]

    async def _look(self, files: EdgeFiles, rpc: Rpc) -> None:
        """Bring Kamailio in step with the lines there are and the phones that a desk told of."""
        try:
            if not self._met:
                await self._meet(rpc)
            lines = self._see_lines()
            if lines != self._lines:
                gone = [line for line in self._lines if line not in lines]
                write_lines(files.lines, lines)
                await rpc.call("dispatcher.reload")
                self._lines = lines
                log.info("lines.changed", lines=[line.port for line in lines])
                for line in gone:
                    if line.pid:  # of this machine, so its address is ours to speak for
                        await bury(rpc, line)
            if self._pushed is not self._phones:
                book = self._phones
                await push_phones(rpc, book, self._pushed)
                self._pushed = book
        except (TelephonyError, OSError) as error:  # on a full disk the lines that Kamailio knows go on taking calls
            log.debug("edge.later", error=str(error))

    async def _meet(self, rpc: Rpc) -> None:
        """Begin with a Kamailio that is new to us: nothing an edge before us told it stays."""
        await rpc.call("htable.seti", "mode", "closing", int(self._stops > 0))
        await rpc.call("htable.flush", "ha1")
        await rpc.call("dispatcher.reload")
        await rpc.call("htable.seti", "mode", "edge", self._mark)
        self._pushed, self._networks, self._registered, self._met = None, None, False, True

    async def _keep_trunks(self, files: EdgeFiles, rpc: Rpc) -> None:
        """Register with the trunks, and follow their names. Beside all else: a name server may be long in answering."""
        while True:
            if await self._tell_trunks(files, rpc):
                await self._registrars.follow()
            took = await self._tell_trunks(files, rpc)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._anew.wait(), TRUNKS_S if took else LOOK_S)
            self._anew.clear()

    async def _tell_trunks(self, files: EdgeFiles, rpc: Rpc) -> bool:
        """Tell Kamailio where the trunks are, and to register once; whether it took it."""
        networks = [*listed_networks(self.settings), *self._registrars.networks]
        try:
            if networks != self._networks:
                write_addresses(files.addresses, networks)
                await rpc.call("permissions.addressReload")
                self._networks = networks
            if not self._registered:
                await register_trunks(rpc, self.settings, files)
                self._registered = True
        except (TelephonyError, OSError) as error:
            log.debug("trunks.later", error=str(error))
            return False
        return True

    async def _well(self, rpc: Rpc) -> bool:
        """Kamailio answers. A silent one is not called alive: the launcher then ends it."""
        try:
            mark = (await rpc.call("htable.get", "mode", "edge"))["item"]["value"]
        except TelephonyError as error:
            if error.code != "edge.rpc_refused":
                if self._rpc_failures == 5:
                    log.warning("kamailio.silent", error=str(error))
                self._rpc_failures += 1
                return False
            mark = None  # it answers, and knows of no edge
        self._rpc_failures = 0
        if self._met and mark != self._mark:
            log.warning("kamailio.started_again")
            self._met = self._registered = False
            self._anew.set()
        return True

    async def _sees_a_line(self, rpc: Rpc) -> bool:
        try:
            listed = await rpc.call("dispatcher.list")
        except TelephonyError:
            return False
        return any(
            target["DEST"]["FLAGS"].startswith("A")
            for group in listed.get("RECORDS", [])
            for target in group["SET"]["TARGETS"]
        )

    async def _drain(self, files: EdgeFiles, rpc: Rpc, died: asyncio.Task[int] | None) -> None:
        """Refuse new calls and wait for those in progress, unless told a second time or Kamailio says nothing more.

        One answer that is late does not end anybody's call.
        """
        refuses, silences = False, 0
        while self._stops < 2 and silences < GIVEN_UP_AFTER and not (died is not None and died.done()):
            try:
                if not refuses:
                    await rpc.call("htable.seti", "mode", "closing", 1)
                    refuses = True
                    say("draining")
                    log.info("edge.draining")
                if await open_calls(rpc) == 0:
                    return
                silences = 0
                say("alive")
            except TelephonyError as error:
                silences += 1
                log.warning("edge.drain", error=str(error))
            await self._look(files, rpc)
            self._stop.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), LOOK_S)


async def run(settings: Settings) -> int:
    """Run the edge role; the exit status. 78 (EX_CONFIG): a person must mend something first."""
    try:
        return await EdgeRole(settings).run()
    except CallCenterError as error:
        if error.retryable:
            log.error("edge.failed", error=str(error))
            return 1
        say("fatal", message=str(error))
        log.error("edge.cannot_start", error=str(error))
        return 78
