"""What time does to matters: acceptance limits, shift changes, warnings, the ladder (R13, R14, R18–R24, R27).

Any number of desks look at the tickets that are due (`next_at`, SKIP LOCKED); each step is the domain's `tick`, saved
in the transaction that holds the ticket, so its effects happen once. After a day of downtime each is done once.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from callcenter.desk import matters
from callcenter.domain.clockwork import tick
from callcenter.domain.situation import Situation
from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.store.pool import statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

log = get_logger("desk.clock")
_sql = statements("ticket")

LOOK_S = 1.0
"""Due tickets are looked for at least this often."""

AGAIN_S = 60
"""A ticket that cannot be looked at is looked at again after this long, and said in the log."""


async def work(desk: Desk) -> None:
    """Do what is due, for good."""
    while True:
        desk.clock_wake.clear()
        while await look(desk, datetime.now(UTC)) == AT_ONCE:
            # very many are due: while the database writes one handful, the next is thought through
            await asyncio.gather(*(look(desk, datetime.now(UTC)) for _ in range(SIDE_BY_SIDE)))
        try:
            async with asyncio.timeout(LOOK_S):
                await desk.clock_wake.wait()
        except TimeoutError:
            continue


AT_ONCE = 100
"""Tickets one look takes: as many as are written together in a tenth of a second."""

SIDE_BY_SIDE = 2
"""Looks of one desk at once when there is much to do."""


async def look(desk: Desk, at: datetime) -> int:
    """Do what is due at `at` of up to AT_ONCE tickets that no other desk looks at; how many there were."""
    async with desk.pool.acquire() as connection, connection.transaction():
        rows = [row async for row in _sql.due_to_look(connection, at=at, sites=list(desk.sites), rows=AT_ONCE)]
        around: dict[str, Situation] = {}
        writing = matters.Writing()
        for row in rows:
            site: str = row["site"]
            if site not in around:
                around[site] = await matters.situation(desk, connection, site, at)
            try:
                outcome = tick(around[site], matters.state_of(row["life"]))
                writing.take(matters.written(desk, around[site], outcome))
            except Exception as error:  # noqa: BLE001 - a fault of ours in one matter stops nobody else's clock
                ours = str(error) if isinstance(error, CallCenterError) else type(error).__name__
                log.error("clock_failed", ticket=row["number"], error=ours)
                later = datetime.fromtimestamp(at.timestamp() + AGAIN_S, UTC)
                await _sql.look_again(connection, number=row["number"], at=later)
            await asyncio.sleep(0)  # a thousand due at once do not stop the pages
        await writing.flush(connection)
        return len(rows)
