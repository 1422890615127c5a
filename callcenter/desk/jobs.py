"""Follow-up work on PostgreSQL: any desk takes the next job; its effect and its end are one transaction.

So an effect happens once, whichever desk dies: the job is locked (SKIP LOCKED) while it is done, and a desk that goes
lets go of the lock. A job that fails is put off, longer each time, and never dropped.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from callcenter.desk import alike, incidents, intake, projection
from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.store.pool import AWAY, Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

log = get_logger("desk.jobs")
_sql = statements("event")

AT_ONCE = 3
"""Jobs one desk does side by side: intake waits for the speech service meanwhile."""

LOOK_S = 1.0
"""Jobs are looked for at least this often, should a NOTIFY get lost."""

AWAY_S = 1.0
"""Pause while the database is away."""

PUT_OFF_FIRST_S, PUT_OFF_LAST_S = 0.5, 600.0


@dataclass(frozen=True)
class Job:
    """One piece of work. `attempts` counts earlier failures."""

    id: int
    key: str
    kind: str
    body: dict[str, Any]
    attempts: int


Handler = Callable[["Desk", Connection, Job], Awaitable[None]]
HANDLERS: dict[str, Handler] = {
    projection.INTAKE: intake.do_intake,
    projection.REPROJECT: projection.do_reproject,
    alike.INCIDENT: incidents.do_consider,
}


async def work(desk: Desk) -> None:
    """Do jobs as they come, for good."""
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(_worker(desk))


async def _worker(desk: Desk) -> None:
    while True:
        desk.jobs_wake.clear()
        try:
            while await do_one(desk):
                pass
        except AWAY as error:
            log.info("jobs_wait", error=type(error).__name__)
            given_way = isinstance(error, asyncpg.TransactionRollbackError)
            await asyncio.sleep(random.uniform(0.01, 0.1) if given_way else AWAY_S)  # noqa: S311 - spreads retries
            continue
        try:
            async with asyncio.timeout(LOOK_S):
                await desk.jobs_wake.wait()
        except TimeoutError:
            continue


async def do_one(desk: Desk) -> bool:
    """Do the next job that is due; False when there is none."""
    async with desk.pool.acquire() as connection, connection.transaction():
        row = await _sql.take_job(connection, kinds=list(HANDLERS))
        if row is None:
            return False
        job = Job(row["id"], row["key"], row["kind"], row["body"], row["attempts"])
        try:
            async with connection.transaction():
                await HANDLERS[job.kind](desk, connection, job)
        except AWAY:
            raise
        except (CallCenterError, asyncpg.PostgresError, KeyError, TypeError, ValueError) as error:
            pause = min(PUT_OFF_FIRST_S * 2**job.attempts, PUT_OFF_LAST_S)
            quiet = isinstance(error, CallCenterError) and error.retryable
            (log.info if quiet else log.error)("job_put_off", job=job.key, error=repr(error), again_in_s=pause)
            await _sql.put_off_job(connection, id=job.id, error=type(error).__name__, pause=pause)
        else:
            await _sql.end_job(connection, id=job.id)
        return True
