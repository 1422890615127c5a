"""A whole hotline with its desk's API, residents who call it, and what the desk made of their calls."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import psutil  # type: ignore[import-untyped]
from pydantic import SecretStr

from callcenter.desk.house import open_desk
from callcenter.desk.phones import set_phone
from callcenter.domain.numbers import canonical
from callcenter.edge.phones import read_phones
from callcenter.site.load import load_sites
from callcenter.telephony.caller import Child
from callcenter.telephony.plan import Action, CallPlan, Turn, When
from tests.harness.house import House
from tests.harness.sip import Invite, Peer
from tests.harness.ticks import ticks

PATIENCE_S = 150.0
"""For whatever must come: a machine that runs much else besides is slow, and slow is no failure here."""
DIALLED = "4001"
PASSWORD = "a long enough password"
_strangers = itertools.count(1)

Json = dict[str, Any]
T = TypeVar("T")


def stranger() -> str:
    """A number that is in no household of the example site; 140… is given to no person."""
    return f"1400009{next(_strangers):04}"


def says(text: str, when: When = When.QUIET, after_s: float = 0.0) -> Turn:
    """The caller says `text`, once our side has fallen silent unless told otherwise."""
    return Turn(Action.SAY, text, when, after_s)


def listens_then_hangs_up() -> Turn:
    """The caller lets our side answer, and goes."""
    return Turn(Action.HANGUP, when=When.QUIET)


class Resident:
    """Somebody on the telephone, in a process of their own."""

    def __init__(self, child: Child, number: str, house: House) -> None:
        self.child, self.number, self._house = child, number, house

    async def wait(self, event: str) -> Json:
        """`ringing`, `answered`, `turn`, `gone`, …"""
        return await self.child.wait_for(event, PATIENCE_S)

    async def hang_up(self) -> None:
        """Now."""
        await self.child.tell("hangup")

    async def report(self) -> Json:
        """What came of the call, when it is over."""
        try:
            return await self.child.wait_for("report", 300)
        finally:
            await self.child.end()

    async def was_heard(self, leg: str = "caller", words: str = "") -> Json:
        """The first words of this call that the line has written down; the first with these among them."""
        async with asyncio.timeout(PATIENCE_S):
            async for _ in ticks(0.1):
                for record in self.records("call.heard"):
                    text = record["body"]["text"].replace(" ", "")
                    if record["body"]["leg"] == leg and text and words in text:
                        return record
        raise AssertionError("unreachable")

    async def was_written(self, kind: str, **where: Any) -> Json:
        """The first record of this call of that kind whose body matches `where`."""
        async with asyncio.timeout(PATIENCE_S):
            async for _ in ticks(0.1):
                for record in self.records(kind):
                    if where.items() <= record["body"].items():
                        return record
        raise AssertionError("unreachable")

    def records(self, kind: str) -> list[Json]:
        """What the node's journals hold of this call now."""
        mine = {r["call"] for r in self._house.records("call.ringing") if r["body"]["from_number"] == self.written}
        return [r for r in self._house.records(kind) if r["call"] in mine]

    @property
    def written(self) -> str | None:
        """The number as the journal has it."""
        return canonical(self.number)


@dataclass(frozen=True)
class Kept:
    """What the desk keeps of one call."""

    call: Json
    ticket: Json

    @property
    def heard(self) -> str:
        """Every word of the caller."""
        return "".join(turn["text"] for turn in self.call["turns"] if turn["leg"] == "caller")

    @property
    def said(self) -> str:
        """Every word of ours."""
        return "".join(turn["text"] for turn in self.call["turns"] if turn["leg"] == "ours")

    def expect(self, **fields: Any) -> None:
        """The matter has these labels; if not, what was heard says why."""
        found = {name: self.ticket[name] for name in fields}
        assert found == fields, f"{found}, expected {fields}; heard: {self.heard}"


class Desk:
    """The desk's API, as an administrator."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        self.token = ""

    async def log_in(self) -> None:
        """By changing the first password, as everybody must."""
        shown = next(h for h in self.house.happened if h["event"] == "notice" and h.get("password"))
        body = {"login": shown["login"], "password": shown["password"], "new": PASSWORD}
        async with self.http.post(f"{self.house.url}/api/v1/passwords", json=body, ssl=self._tls()) as answer:
            assert answer.status == 201, await answer.text()
            self.token = (await answer.json())["token"]

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.house.var_dir / "secrets" / "tls.crt"))

    async def get(self, path: str) -> Any:
        """JSON, or bytes where it is not."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.get(f"{self.house.url}/api/v1{path}", headers=headers, ssl=self._tls()) as answer:
            answer.raise_for_status()
            return await (answer.json() if answer.content_type == "application/json" else answer.read())

    async def wait(self, what: str, look: Callable[[], Awaitable[T | None]], seen: Sequence[Json] = ()) -> T:
        """What `look` finds, asked again and again, also of a desk that is away a moment; `seen` tells of the wait."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                async for _ in ticks(0.2):
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError, StopIteration):
                        if (found := await look()) is not None:
                            return found
        except TimeoutError:
            pass
        raise AssertionError(f"never came: {what}; last seen {seen[-1:]}\n{self.house.last_words()}")

    async def calls_of(self, number: str) -> list[Json]:
        """Every call from that number, newest first."""
        mine = canonical(number)
        calls = (await self.get("/calls?limit=200"))["calls"]
        return [call for call in calls if call["from_number"] and canonical(call["from_number"]) == mine]

    async def tickets_of(self, call: str) -> list[Json]:
        """Every matter this call belongs to: there must be one."""
        rows = (await self.get("/tickets?limit=200"))["tickets"]
        whole = [await self.get(f"/tickets/{row['number']}") for row in rows]
        return [ticket for ticket in whole if any(c["id"] == call for c in ticket["calls"])]

    async def callback_of(self, call: str) -> Json:
        """The call-back to make because of this call."""

        async def look() -> Json | None:
            rows = (await self.get("/callbacks"))["callbacks"]
            return next((row for row in rows if row["call"] == call), None)

        return await self.wait("a call-back", look)


@dataclass
class Hotline:
    """A house, its desk, and the residents on the telephone now."""

    house: House
    desk: Desk
    _calling: list[Child] = field(default_factory=list)

    # -- calling ------------------------------------------------------------------------------------------------

    async def dial(self, *turns: Turn, number: str = "", **plan: Any) -> Resident:
        """Somebody dials; returns as soon as the telephone is picked up at their end."""
        number = number or stranger()
        host, port = self.house.sip
        uri = f"sip:{DIALLED}@{host}:{port}"
        child = await Child.start("call", CallPlan(uri, turns, from_number=number, voice="f4", **plan))
        self._calling.append(child)
        return Resident(child, number, self.house)

    async def call(self, *turns: Turn, number: str = "", **plan: Any) -> tuple[Json, Kept]:
        """A whole call: its report, and what was kept of it."""
        resident = await self.dial(*turns, number=number, **plan)
        report = await resident.report()
        return report, await self.kept(resident.number)

    async def answers(self) -> None:
        """The next call is answered (R1: whatever happened before)."""
        peer = await Peer.open()
        try:
            call = Invite(peer, self.house.sip, user=DIALLED, caller=stranger())
            call.send()
            final = await call.wait_final(60)
            assert final.status == 200, f"the next call got {final.status}\n{self.house.last_words()}"
            call.within("ACK")
            call.within("BYE")
            assert (await call.wait_final(30)).status == 200
        finally:
            peer.close()

    # -- what is left of it -------------------------------------------------------------------------------------

    async def kept(self, number: str, *, recorded: bool = True) -> Kept:
        """The one call from `number` with its one matter, once both are complete.

        Checks what must hold for every call: it ended, its text is complete, its recording is in the store and can
        be read, exactly one matter came of it.
        """

        async def look() -> Json | None:
            found = await self.desk.calls_of(number)
            if not found:
                return None
            assert len(found) == 1, "one call, several rows"
            call: Json = await self.desk.get(f"/calls/{found[0]['id']}")
            stored = not recorded or (call["recording"] and call["recording"]["state"] == "stored")
            states = {name: call[name] for name in ("ended_at", "text_complete", "ticket")} | {"recording": stored}
            seen.append(states)
            return call if all(states.values()) else None

        seen: list[Json] = []
        call = await self.desk.wait(f"the whole call of {number}", look, seen)
        if recorded:
            assert (await self.desk.get(f"/calls/{call['id']}/recording"))[:4] == b"fLaC"
        tickets = await self.desk.tickets_of(call["id"])
        assert [t["number"] for t in tickets] == [call["ticket"]], "one call, one matter"
        assert tickets[0]["first_responder"]
        assert tickets[0]["responsible"]
        return Kept(call, tickets[0])

    async def unserved(self, number: str, count: int = 1) -> list[Json]:
        """Calls from `number` that nobody could take, each with its matter."""

        async def look() -> list[Json] | None:
            found = [c for c in await self.desk.calls_of(number) if c["unserved"] and c["ticket"]]
            return found if len(found) == count else None

        return await self.desk.wait(f"the call of {number} that nobody took", look)

    # -- the house ----------------------------------------------------------------------------------------------

    async def give_phone(self, user: str, password: str, staff: str | None = None) -> None:
        """Let a phone register as `user`; returns when the edge knows it."""
        settings = self.house.loaded
        dsn = f"postgresql://callcenter@/callcenter?host={self.house.var_dir / 'postgres' / 'socket'}"
        database = settings.database.model_copy(update={"dsn": SecretStr(dsn)})
        async with open_desk(settings.model_copy(update={"database": database}), background=False) as desk:
            await set_phone(desk, settings.site.default, staff, user, password, settings.edge.realm)
        async with asyncio.timeout(PATIENCE_S):
            async for _ in ticks(0.1):
                if user in read_phones(settings).ha1:
                    return

    async def operator(self) -> tuple[str, str]:
        """Staff id and extension of whoever is operator on duty now by the example site's roster."""
        duty = await self.desk.get("/duty")
        staff = next(row["staff"] for row in duty["now"] if row["role"] == "operator")
        settings = self.house.loaded
        site = load_sites(settings.sites_dir, settings.rules)[settings.site.default]
        extension = site.organisation.person(staff).extension
        assert extension is not None, "the example's operators all have a telephone"
        return staff, extension

    @contextlib.contextmanager
    def frozen_database(self) -> Iterator[None]:
        """Every process of the embedded PostgreSQL stands still meanwhile."""
        server = psutil.Process(self.database_pid)
        everybody = [server, *server.children(recursive=True)]
        for process in everybody:
            process.suspend()
        try:
            yield
        finally:
            for process in everybody:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    @property
    def database_pid(self) -> int:
        """The embedded PostgreSQL's."""
        pid_file = self.house.var_dir / "postgres" / "data" / "postmaster.pid"
        return int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._calling:
            await child.end()
        await self.desk.http.close()
        await self.house.stop(timeout_s=30)


@contextlib.asynccontextmanager
async def running_hotline(**shape: Any) -> AsyncIterator[Hotline]:
    """A hotline of the test's choosing (see `House`), ready, and its desk's API open."""
    folder = make_folder()
    house = House(folder, **shape)
    try:
        async with Hotline(house, Desk(house)) as hotline:
            await house.start(timeout_s=PATIENCE_S)
            await hotline.desk.log_in()
            yield hotline
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_folder() -> Path:
    """A folder for a house: a short path (sockets' paths have 107 bytes), open to PostgreSQL's user."""
    folder = Path(tempfile.mkdtemp(prefix="calls-"))
    folder.chmod(0o755)
    return folder
