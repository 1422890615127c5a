"""Whether a matter is one of many alike (R32) is looked at by a job of its own; what was none of them leaves them."""

from __future__ import annotations

from callcenter.domain.matters import Matter
from callcenter.store.pool import Connection, statements

_events = statements("event")
_sql = statements("incident")

INCIDENT = "incident"
"""The kind of the job."""


async def consider(connection: Connection, number: int, matter: Matter) -> None:
    """Have it looked whether this matter, which is under our lock, is one of many alike."""
    if not matter.empty:
        key = f"{INCIDENT}:{number}:{matter.category}"
        await _events.put_job_once(connection, key=key, kind=INCIDENT, body={"ticket": number})


async def corrected(connection: Connection, number: int, before: Matter, after: Matter) -> None:
    """A matter that was saved as corrected: about something else, or elsewhere, it is no part of its incident any more,
    so that nobody finishes it with that, and perhaps of another."""
    moved = (before.category, before.place.building) != (after.category, after.place.building)
    if moved:
        await _sql.leave(connection, number=number)
    if moved or before.empty:
        await consider(connection, number, after)
