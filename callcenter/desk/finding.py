"""Finding words among a year of calls and matters: the newest first, one stretch of time after the other.

A common word stands in ten thousand rows and its newest sixty are wanted: a short stretch holds them. A rare word's few
rows are found by its index however long the stretch is. So stretches begin short and grow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from callcenter.store.pool import Connection, statements

_sql = statements("read")

FIRST_ROWS = 3_000
"""Rows of text in the first stretch."""
GROW_MOST = 8
"""A stretch is at most so many times as long as the one before; how much depends on what that one held."""
LAST_ROWS = 60_000
"""A stretch that would be longer is all that is left: counting rows back costs more than their index."""
AHEAD = timedelta(days=2)
"""A clock that went wrong may have written rows of the future: they are found as well."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
Look = Callable[[datetime, datetime, int], AsyncIterator[Any]]


async def newest(
    connection: Connection, site: str, before: datetime | None, floor: datetime | None, wanted: int, look: Look
) -> list[Any]:
    """The newest `wanted` rows that `look(after, upto, rows)` finds in (after, upto], no older than `floor`."""
    upto = before or datetime.now(UTC) + AHEAD
    least = floor - timedelta(microseconds=1) if floor is not None else EARLIEST
    rows, found = FIRST_ROWS, list[Any]()
    while True:
        back = await _sql.rows_back(connection, site=site, upto=upto, rows=rows) if rows < LAST_ROWS else None
        after: datetime = max(back or least, least)
        last = after == least
        here = [row async for row in look(after, upto, wanted - len(found))]
        found += here
        if last or len(found) >= wanted:
            return found
        missing = wanted - len(found)
        rows *= max(2, min(GROW_MOST, 2 * missing // len(here))) if here else GROW_MOST
        upto = after
