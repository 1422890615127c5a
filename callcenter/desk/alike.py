"""Whether a matter is one of many alike (R32) is looked at by a job of its own; what was none of them leaves them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from callcenter.desk.events import DeskEvent, tell, write_event
from callcenter.desk.models import NewsKind
from callcenter.domain.matters import Matter
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_events = statements("event")
_sql = statements("incident")

INCIDENT = "incident"
"""The kind of the job."""


async def consider(connection: Connection, number: int, matter: Matter) -> None:
    """Have it looked whether this matter, which is under our lock, is one of many alike."""
    if not matter.empty:
        key = f"{INCIDENT}:{number}:{matter.category}"
        await _events.put_job_once(connection, key=key, kind=INCIDENT, body={"ticket": number})


async def corrected(
    desk: Desk, connection: Connection, site: str, number: int, before: Matter, after: Matter, actor: str
) -> None:
    """A matter that was saved as corrected: about something else, or elsewhere, it is no part of its incident any more,
    so that nobody finishes it with that, and perhaps of another. An incident that it was the last of is over."""
    moved = (before.category, before.place.building) != (after.category, after.place.building)
    if moved:
        async for over in _sql.leave(connection, number=number, at=datetime.now(UTC)):
            body = {"incident": over["id"], "result": None, "tickets": over["tickets"]}
            await write_event(
                desk, connection, DeskEvent.INCIDENT_CLOSED, site=site, actor=actor, rules=("R32",), body=body
            )
            await tell(connection, NewsKind.TICKET, site, {"ticket": None, "kind": DeskEvent.INCIDENT_CLOSED.value})
    if moved or before.empty:
        await consider(connection, number, after)
