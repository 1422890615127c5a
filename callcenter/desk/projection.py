"""From a node's record to rows: each record is applied once, in the transaction that inserts its event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import asyncpg

from callcenter.desk.events import tell
from callcenter.desk.models import NewsKind
from callcenter.domain.numbers import canonical
from callcenter.domain.records import Record, RecordKind
from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk
    from callcenter.desk.jobs import Job

log = get_logger("desk.projection")
_sql = statements("call")
_events = statements("event")

INTAKE = "intake"
REPROJECT = "reproject"

TRANSFER_STATES = {
    "ringing": "transferring", "answered": "bridged", "no_answer": "talking", "busy": "talking",
    "unreachable": "talking", "abandoned": "talking", "ended": "talking",
}  # fmt: skip
"""State of a transfer → state of the call."""

OF_NO_CALLER = frozenset({
    RecordKind.CALL_RINGING, RecordKind.EDGE_UNSERVED, RecordKind.PERSON_CALL, RecordKind.PERSON_ANSWER,
})  # fmt: skip
"""Records that suppose no row of `call`: those that make it, and those of calls to our people."""

UNAPPLIED = (
    CallCenterError, KeyError, TypeError, ValueError, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError,
)  # fmt: skip
"""What one record may fail with, and no other should wait for: a rule that forbids it, values that do not fit."""


@dataclass(frozen=True)
class Applying:
    """One record being applied."""

    desk: Desk
    connection: Connection
    record: Record
    site: str
    call: UUID
    node: str

    @property
    def body(self) -> dict[str, Any]:
        return self.record.body

    def number(self, key: str) -> str | None:
        """A telephone number of the body in its one written form."""
        return canonical(self.body.get(key), self.desk.site(self.site).area_code)


async def store_record(desk: Desk, connection: Connection, record: Record, node: str) -> bool:
    """Insert a record as an event and apply it, in the caller's transaction; False when it was there already.

    A record that cannot be applied is kept as an event all the same, and tried again by a job.
    """
    site = desk.site_or_default(record.site).id
    call = record.call or uuid5(record.journal, str(record.seq))
    identity = await _events.put(
        connection, journal=record.journal, seq=record.seq, site=site, call=call, ticket=_ticket(record),
        at=record.at, kind=record.kind.value, version=record.version, body=record.body, actor=None, rules=[],
    )  # fmt: skip
    if identity is None:
        return False
    try:
        async with connection.transaction():
            await apply(Applying(desk, connection, record, site, call, node))
    except UNAPPLIED as error:
        log.error("record_not_applied", kind=record.kind.value, event_id=identity, error=type(error).__name__)
        await _events.put_job(
            connection,
            key=f"{REPROJECT}:{identity}",
            kind=REPROJECT,
            body={"event": identity, "node": node},
            run_at=None,
        )
    await tell(connection, NewsKind.CALL, site, {"call": str(call), "kind": record.kind.value})
    return True


def _ticket(record: Record) -> int | None:
    ticket = record.body.get("ticket")
    return int(ticket) if isinstance(ticket, int | str) and str(ticket).isdigit() else None


async def apply(applying: Applying) -> None:
    """Bring the rows up to one record."""
    record = applying.record
    if record.kind not in OF_NO_CALLER and record.call is not None:
        await _sql.ensure(
            applying.connection, id=applying.call, site=applying.site, journal=record.journal, at=record.at
        )
    handler = HANDLERS.get(record.kind)
    if handler is not None:
        await handler(applying)


async def _ringing(a: Applying) -> None:
    if a.body.get("direction") == "out":
        from callcenter.desk import residents_rung

        await residents_rung.ringing(a)
        return
    await _sql.ring(
        a.connection, id=a.call, site=a.site, journal=a.record.journal, node=a.body.get("node") or a.node,
        line=a.body.get("line"), sip_call_id=a.body.get("sip_call_id"), from_number=a.number("from_number"),
        to_number=a.body.get("to_number"), dialplan=a.body.get("dialplan"), at=a.record.at,
        invite_to_180_ms=_whole(a.body.get("invite_to_180_ms")),
    )  # fmt: skip


async def _answered(a: Applying) -> None:
    await _sql.answer(
        a.connection, id=a.call, at=a.record.at, rings=a.body.get("rings"), answer_ms=_whole(a.body.get("answer_ms")),
        late_ms=_whole(a.body.get("late_ms")), by=a.body.get("by"),
    )  # fmt: skip


async def _step(a: Applying) -> None:
    await _sql.step(a.connection, id=a.call, step=a.body["step"])


async def _said(a: Applying) -> None:
    await _put_turn(a, "ours", a.body)


async def _heard(a: Applying) -> None:
    leg = a.body.get("leg", "caller")
    await _put_turn(a, leg, a.body)
    await _sql.unshow(a.connection, call=a.call, leg=leg)


async def _put_turn(a: Applying, leg: str, turn: dict[str, Any], *, afterwards: bool = False) -> None:
    await _sql.say(
        a.connection, call=a.call, leg=leg, n=turn.get("utterance"), start_ms=_whole(turn["start_ms"]),
        end_ms=_whole(turn["end_ms"]), text=turn.get("text") or "", words=turn.get("words") or [],
        prompt=turn.get("prompt"), interrupted=bool(turn.get("interrupted")), afterwards=afterwards, at=a.record.at,
    )  # fmt: skip


async def _understood(a: Applying) -> None:
    await _sql.understood(a.connection, id=a.call, labels=a.body["labels"])


async def _transfer(a: Applying) -> None:
    await _sql.state(a.connection, id=a.call, state=TRANSFER_STATES[a.body["state"]])
    if a.body["state"] == "answered" and a.body.get("to"):
        await _sql.receiver(a.connection, id=a.call, staff=a.body["to"])  # R11: whoever picked up


async def _hold(a: Applying) -> None:
    await _sql.state(a.connection, id=a.call, state="held" if a.body["on"] else "talking")


async def _gap(a: Applying) -> None:
    await _sql.gap(a.connection, id=a.call, from_ms=_whole(a.body["from_ms"]))


async def _ended(a: Applying) -> None:
    await _sql.end(
        a.connection, id=a.call, at=a.record.at, reason=a.body.get("reason"),
        duration_ms=_whole(a.body.get("duration_ms")), answered=bool(a.body.get("answered")),
    )  # fmt: skip
    await _sql.unshow(a.connection, call=a.call, leg=None)
    await enqueue_intake(a.connection, a.call)


async def _recording(a: Applying) -> None:
    """`call.recording`; without a sum there is no audio: the caller objected (R10), or nothing was recorded."""
    delete_after = a.body.get("delete_after")
    objected = bool(a.body.get("objected"))
    if objected:
        await _sql.objected(a.connection, id=a.call)
    if a.body["sha256"] is None:
        return
    await _sql.announce(
        a.connection, call=a.call, site=a.site, node=a.node, sha256=a.body["sha256"], bytes=_whole(a.body.get("bytes")),
        duration_ms=_whole(a.body.get("duration_ms")), channels=list(a.body.get("channels") or ("caller", "ours")),
        sample_rate_hz=_whole(a.body.get("sample_rate_hz")), notice_given=bool(a.body.get("notice_given")),
        objected=objected, delete_after=datetime.fromisoformat(delete_after) if delete_after else None,
    )  # fmt: skip


async def _transcribed(a: Applying) -> None:
    for turn in a.body["utterances"]:
        leg, start_ms, end_ms = turn.get("leg", "caller"), _whole(turn["start_ms"]), _whole(turn["end_ms"])
        if not await _sql.said_between(a.connection, call=a.call, leg=leg, start_ms=start_ms, end_ms=end_ms):
            await _put_turn(a, leg, turn, afterwards=True)
    await _sql.text_complete(a.connection, id=a.call)
    await enqueue_intake(a.connection, a.call, again=a.record.seq)


async def _opened(a: Applying) -> None:
    from callcenter.desk import intake

    await intake.open_from_line(a)


async def _amended(a: Applying) -> None:
    from callcenter.desk import intake

    await intake.amend_from_line(a)


async def _unserved(a: Applying) -> None:
    made = await _sql.unserved(
        a.connection, id=a.call, site=a.site, journal=a.record.journal, node=a.node,
        sip_call_id=a.body.get("sip_call_id"), from_number=a.number("from_number"), to_number=a.body.get("to_number"),
        at=a.record.at, reason=a.body.get("reason") or "no_line",
    )  # fmt: skip
    if made is not None:
        await enqueue_intake(a.connection, a.call)


async def _person_call(a: Applying) -> None:
    from callcenter.desk import rung

    await rung.person_call(a)


async def _person_answer(a: Applying) -> None:
    from callcenter.desk import rung

    await rung.person_answer(a)


async def enqueue_intake(connection: Connection, call: UUID, *, again: int | None = None) -> None:
    """Have a call's intake done; `again` marks one that has to be done once more."""
    key = f"{INTAKE}:{call}" + (f":{again}" if again is not None else "")
    await _events.put_job(connection, key=key, kind=INTAKE, body={"call": str(call)}, run_at=None)


async def do_reproject(desk: Desk, connection: Connection, job: Job) -> None:
    """Apply a record that could not be applied when it came."""
    row = await _events.one(connection, id=job.body["event"])
    if row is not None:
        kind = RecordKind(row["kind"])
        record = Record(
            row["journal"], row["seq"], row["at"], kind, row["site"], row["call"], row["body"], row["version"]
        )
        await apply(Applying(desk, connection, record, row["site"], row["call"], job.body["node"]))


def _whole(value: object) -> int | None:
    """Milliseconds and counts as integers; None stays None."""
    return None if value is None else round(float(value))  # type: ignore[arg-type]


HANDLERS: dict[RecordKind, Callable[[Applying], Awaitable[None]]] = {
    RecordKind.CALL_RINGING: _ringing,
    RecordKind.CALL_ANSWERED: _answered,
    RecordKind.CALL_STEP: _step,
    RecordKind.CALL_SAID: _said,
    RecordKind.CALL_HEARD: _heard,
    RecordKind.CALL_UNDERSTOOD: _understood,
    RecordKind.CALL_TRANSFER: _transfer,
    RecordKind.CALL_HOLD: _hold,
    RecordKind.CALL_GAP: _gap,
    RecordKind.CALL_ENDED: _ended,
    RecordKind.CALL_RECORDING: _recording,
    RecordKind.CALL_TRANSCRIBED: _transcribed,
    RecordKind.TICKET_OPENED: _opened,
    RecordKind.TICKET_AMENDED: _amended,
    RecordKind.EDGE_UNSERVED: _unserved,
    RecordKind.PERSON_CALL: _person_call,
    RecordKind.PERSON_ANSWER: _person_answer,
}
