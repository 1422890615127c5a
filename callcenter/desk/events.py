"""The desk's own events: each written once, told to every desk at commit, with who, when, why and the rule."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from callcenter.desk.models import NewsKind
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_sql = statements("event")


class DeskEvent(StrEnum):
    """What a desk writes down. Bodies are plain JSON."""

    TICKET_COMPLETED = "ticket.completed"
    """Final text and labels are in: labels, missing."""
    TICKET_MADE = "ticket.made"
    """Opened by the desk, for a call that ended before it had one."""
    TICKET_JOINED = "ticket.joined"
    """R17: joined_to."""
    TICKET_REPEATED = "ticket.repeated"
    """R17: another call about it: by_call, by_number_of (ticket)."""
    TICKET_REDECIDED = "ticket.redecided"
    """The rule applied again to the completed matter: decision."""
    TICKET_CORRECTED = "ticket.corrected"
    """A person corrected it: changes {field: [before, after]}."""
    TICKET_CONFIRMED = "ticket.confirmed"
    TICKET_STATE = "ticket.state"
    """`from`, `to`, why."""
    HANDOVER_OFFERED = "handover.offered"
    HANDOVER_ACCEPTED = "handover.accepted"
    HANDOVER_REFUSED = "handover.refused"
    HANDOVER_PASSED = "handover.passed"
    """The acceptance limit passed, or the person went away (R13)."""
    RESPONSIBLE_MOVED = "ticket.responsible"
    """R14, R27: `from`, `to`."""
    TOLD = "ticket.told"
    """R9, R15, R17: staff."""
    DEADLINE_WARNED = "deadline.warned"
    DEADLINE_MISSED = "deadline.missed"
    """R24: clock, level, told."""
    CALLBACK_PLANNED = "callback.planned"
    CALLBACK_DONE = "callback.done"
    TASK_DONE = "task.done"
    PHOTO_TAKEN = "ticket.photo"
    """A picture of the work: name, width, height, bytes, note."""
    MESSAGE_SENT = "message.sent"
    """By mail or webhook: channel, target, staff."""
    MESSAGE_FAILED = "message.failed"
    """It was tried often enough: channel, target, staff."""
    RECORDING_OBJECTED = "recording.objected"
    RECORDING_DELETED = "recording.deleted"
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_CLOSED = "incident.closed"


async def write_event(
    desk: Desk,
    connection: Connection,
    kind: DeskEvent,
    *,
    site: str,
    body: dict[str, Any],
    call: UUID | None = None,
    ticket: int | None = None,
    actor: str | None = None,
    rules: tuple[str, ...] = (),
    at: datetime | None = None,
) -> int:
    """Write one event in the caller's transaction and tell the desks at its commit; returns its id."""
    identity = await _sql.put(
        connection, journal=desk.journal, seq=desk.next_seq(), site=site, call=call, ticket=ticket,
        at=at or datetime.now(UTC), kind=kind.value, version=1, body=body, actor=actor, rules=list(rules),
    )  # fmt: skip
    if ticket is not None:
        await tell(connection, NewsKind.TICKET, site, {"ticket": ticket, "kind": kind.value})
    return int(identity)


def payload(kind: NewsKind, site: str, body: dict[str, Any]) -> str:
    """News as desks tell it to each other."""
    return json.dumps({"kind": kind.value, "site": site, "body": body}, separators=(",", ":"), default=str)


async def tell(connection: Connection, kind: NewsKind, site: str, body: dict[str, Any]) -> None:
    """Tell every desk, this one included, when the caller's transaction commits. Ids and labels only."""
    await _sql.notify(connection, payload=payload(kind, site, body))
