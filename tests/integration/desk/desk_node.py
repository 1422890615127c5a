"""What the tests of the desk use: a line that writes real journals, its real link, a fake speech service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import SecretStr

from callcenter.config import DatabaseSettings, DeskSettings, NodeSettings, Settings
from callcenter.desk import link as desk_link
from callcenter.desk.house import Desk
from callcenter.domain import codec
from callcenter.domain.labels import Label, SpokenPlace, Understanding
from callcenter.domain.matters import Matter
from callcenter.domain.records import Record, RecordKind
from callcenter.domain.responsibility import Decision, decide
from callcenter.node.ids import uuid7
from callcenter.node.journal import Journal
from callcenter.node.link import LinkClient
from callcenter.node.numbers import NumberPool

K = RecordKind
SITE = "xingfu"
LI_NA = "14000001101"
"""Example resident of 3-2-1102."""


def labels(
    category: str = "water_leak", urgency: str = "normal", kind: str = "repair", *, confidence: float = 0.9,
    department: str = "engineering", building: str | None = "3", unit: str | None = "2", room: str | None = "1102",
) -> Understanding:  # fmt: skip
    """Labels as a line or the speech service gives them."""
    return Understanding(
        Label(kind, confidence), Label(category, confidence), Label(urgency, confidence), Label(department, confidence),
        SpokenPlace(Label(building, 0.9), Label(unit, 0.9), Label(room, 0.9)),
    )  # fmt: skip


class FakeSpeech:
    """`run_dir/speech.sock` with answers by text; unknown texts are a repair of a leak."""

    def __init__(self) -> None:
        self.answers: dict[str, Understanding] = {}
        self.asked: list[str] = []

    async def understand(self, request: web.Request) -> web.Response:
        text = (await request.json())["text"]
        self.asked.append(text)
        return web.json_response(codec.to_plain(self.answers.get(text, labels())))


@asynccontextmanager
async def speech_at(settings: Settings) -> AsyncIterator[FakeSpeech]:
    """The fake speech service on its socket."""
    fake = FakeSpeech()
    app = web.Application()
    app.router.add_post("/understand", fake.understand)
    runner = web.AppRunner(app)
    await runner.setup()
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    await web.UnixSite(runner, str(settings.run_dir / "speech.sock")).start()
    yield fake
    await runner.cleanup()


@asynccontextmanager
async def served(desk: Desk) -> AsyncIterator[str]:
    """The link of a desk on a free port; its address."""
    app = web.Application()
    app.add_routes(desk_link.routes(desk))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = site._server
    assert server is not None
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    for node in list(desk.links):
        await node._socket.close()
    await runner.cleanup()


def settings_of(var_dir: Path, dsn: str, desks: list[str] | None = None) -> Settings:
    return Settings(
        node=NodeSettings(var_dir=var_dir, desks=desks or [], secret=SecretStr("test-secret")),
        desk=DeskSettings(tls="off"), database=DatabaseSettings(dsn=SecretStr(dsn)),
    )  # fmt: skip


async def until(condition: Callable[[], Awaitable[Any]], timeout_s: float = 20) -> Any:
    """Wait for something in the database; every look is a query, so this yields to the work."""
    async with asyncio.timeout(timeout_s):
        while not (found := await condition()):  # noqa: ASYNC110 - the event is in the database
            await asyncio.sleep(0.02)
        return found


@dataclass
class FakeLine:
    """Writes the records of calls as a line does, into a real journal."""

    journal: Journal
    numbers: NumberPool | None = None
    calls: list[UUID] = field(default_factory=list)

    def write(self, kind: RecordKind, call: UUID, body: dict[str, Any], at: datetime | None = None) -> Record:
        return self.journal.append(kind, site=SITE, call=call, body=body, at=at)

    def ring(self, number: str | None = LI_NA, at: datetime | None = None) -> UUID:
        call = uuid7()
        self.calls.append(call)
        body = {
            "from_number": number, "to_number": "8001", "line": 1, "node": "node1", "sip_call_id": str(call),
            "dialplan": "hotline.zh", "invite_to_180_ms": 12.4,
        }  # fmt: skip
        self.write(K.CALL_RINGING, call, body, at)
        return call

    def answer(self, call: UUID) -> None:
        self.write(K.CALL_ANSWERED, call, {"rings": 1, "answer_ms": 1003.2, "late_ms": 3, "by": "script"})

    def hear(self, call: UUID, text: str, utterance: int = 0) -> None:
        start = 3000 * (utterance + 1)
        self.write(
            K.CALL_HEARD, call,
            {
                "utterance": utterance, "leg": "caller", "start_ms": start, "end_ms": start + 1500, "text": text,
                "words": [[text[:2], start, start + 400, 0.9]],
            },
        )  # fmt: skip

    def open(
        self, call: UUID, ticket: int | str | None, understood: Understanding, decision: Decision | None = None,
        fields: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.write(
            K.TICKET_OPENED, call,
            {
                "ticket": ticket, "labels": codec.to_plain(understood), "fields": fields or {},
                "joins": decision.joins if decision else None,
                "decision": codec.to_plain(decision) if decision else None, "snapshot": 1, "spoken": True,
            },
        )  # fmt: skip

    def end(self, call: UUID, reason: str = "caller") -> None:
        self.write(K.CALL_ENDED, call, {"reason": reason, "duration_ms": 8000, "answered": True})

    def whole_call(self, text: str, ticket: int | None = None, understood: Understanding | None = None) -> UUID:
        """A call from ring to hang-up; with `ticket`, one that was opened on the phone."""
        call = self.ring()
        self.answer(call)
        self.hear(call, text)
        if ticket is not None:
            self.open(call, ticket, understood or labels())
        self.end(call)
        return call


@dataclass
class Linked:
    """A node linked to desks."""

    line: FakeLine
    link: LinkClient
    settings: Settings


@asynccontextmanager
async def linked(
    settings: Settings, number: int = 1, on_command: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]] | None = None
) -> AsyncIterator[Linked]:
    """A line of the node of `settings`, its real journal and link; `on_command` does what a desk orders."""
    folder = settings.var_dir / "node"
    journal = Journal.create(folder / "journals")
    numbers = NumberPool(folder, number)
    link = LinkClient(settings, role="line", number=number, journal=journal, numbers=numbers, on_command=on_command)
    task = asyncio.create_task(link.run())
    yield Linked(FakeLine(journal, numbers), link, settings)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    journal.close()
    numbers.close()


def decided(desk: Desk, understood: Understanding, number: str = LI_NA, at: datetime | None = None) -> Decision:
    """What a line decides from its snapshot."""
    at = at or datetime.now(UTC)
    snapshot = desk.site(SITE).snapshot(at)
    call = snapshot.call("+86" + number)
    return decide(
        call, Matter.understood(understood), snapshot.organisation, snapshot.roster, snapshot.rules, at,
    )  # fmt: skip
