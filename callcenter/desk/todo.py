"""What waits for people: a person's day, matters to confirm, call-backs and follow-ups to make, tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callcenter.desk import matters, rows
from callcenter.desk.acts import once
from callcenter.desk.events import DeskEvent, tell, write_event
from callcenter.desk.models import CallbackRow, Day, NewsKind, Notice, TaskRow, TicketRow
from callcenter.domain import work
from callcenter.domain.deadlines import Clock
from callcenter.errors import StoreError
from callcenter.store.pool import statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_sql = statements("read")
_day = statements("day")


async def day(desk: Desk, site: str, staff: str) -> Day:
    """Everything that waits for one person, each list by its clock."""
    async with desk.pool.acquire() as connection:
        lists = [
            tuple([rows.ticket(row) async for row in named(connection, site=site, staff=staff)])
            for named in (_day.asked, _day.mine, _day.followed, _day.follow_ups)
        ]
        tasks = tuple([rows.task(row) async for row in _day.tasks(connection, site=site, staff=staff)])
        callbacks = tuple([rows.callback(row) async for row in _day.callbacks(connection, site=site, staff=staff)])
        told = tuple([Notice(**dict(row)) async for row in _day.told(connection, site=site, staff=staff)])
    asked, mine, followed, followed_up = lists
    return Day(asked, mine, followed, followed_up, tasks, callbacks, told)


async def follow_ups(desk: Desk, site: str, staff: str | None = None) -> list[TicketRow]:
    """Matters whose caller has to be asked whether they are solved (R23), of one person if named, by their clock."""
    return [rows.ticket(row) async for row in _day.follow_ups(desk.pool, site=site, staff=staff)]


async def to_confirm(desk: Desk, site: str) -> list[TicketRow]:
    """待核实: what the operator on duty has to listen to and confirm, oldest first."""
    return [rows.ticket(row) async for row in _sql.to_confirm(desk.pool, site=site)]


async def callbacks(
    desk: Desk, site: str, *, department: str | None = None, staff: str | None = None
) -> list[CallbackRow]:
    """Call-backs to make (R5, R22), the next due first; of one department's matters, and those of `staff`, if named."""
    found = _sql.callbacks(desk.pool, site=site, department=department, staff=staff)
    return [rows.callback(row) async for row in found]


async def callback(desk: Desk, identity: int) -> CallbackRow:
    """One call-back. Raises StoreError `callback.unknown`."""
    row = await _sql.callback_one(desk.pool, id=identity)
    if row is None:
        raise StoreError("callback.unknown", "there is no such call-back")
    return rows.callback(row)


async def tasks(desk: Desk, site: str, staff: str | None = None) -> list[TaskRow]:
    """Open tasks, of one person if named, the next due first."""
    return [rows.task(row) async for row in _sql.tasks(desk.pool, site=site, staff=staff)]


async def callback_done(desk: Desk, identity: int, actor: str, result: str, key: str) -> CallbackRow:
    """A call-back was made, once per key. Raises StoreError `callback.unknown`, DomainError."""
    ticket = (await callback(desk, identity)).ticket
    async with desk.pool.acquire() as connection, connection.transaction():
        if await once(connection, f"callback:{identity}:{key}", actor):
            # The matter is locked before its call-back, as by the clock, so that the two never wait for each other.
            state = await matters.load(connection, ticket) if ticket is not None else None
            row = await _sql.callback_lock(connection, id=identity)
            if row["state"] in {"due", "calling"}:
                await _sql.callback_done(connection, id=identity, by=actor, result=result)
                await write_event(
                    desk, connection, DeskEvent.CALLBACK_DONE, site=row["site"], call=row["call"],
                    ticket=row["ticket"], actor=actor, rules=("R22",), body={"result": result},
                )  # fmt: skip
                if state is not None and state.status.open and state.timer(Clock.CALL_BACK) is not None:
                    around = await matters.situation(desk, connection, row["site"])
                    other = await matters.callback_due(connection, state.ticket, but=row["number"])
                    outcome = work.called_back(around, state, actor, result, number=row["number"], other_due=other)
                    await matters.save(desk, connection, around, outcome)
                await tell(connection, NewsKind.CALLBACK, row["site"], {"ticket": row["ticket"], "kind": "done"})
    return await callback(desk, identity)


async def task(desk: Desk, identity: int) -> TaskRow:
    """One task. Raises StoreError `task.unknown`."""
    row = await _sql.task_one(desk.pool, id=identity)
    if row is None:
        raise StoreError("task.unknown", "there is no such task")
    return rows.task(row)


async def task_done(desk: Desk, identity: int, actor: str, key: str, text: str = "") -> TaskRow:
    """A task was done, once per key, `text` says how. A confirmation or a report is done by its own act instead."""
    async with desk.pool.acquire() as connection, connection.transaction():
        row = await _sql.task_lock(connection, id=identity)
        if row is None:
            raise StoreError("task.unknown", "there is no such task")
        if await once(connection, f"task:{identity}:{key}", actor) and row["state"] == "open":
            row = await _sql.task_done(connection, id=identity, by=actor)
            await write_event(
                desk, connection, DeskEvent.TASK_DONE, site=row["site"], call=row["call"], ticket=row["ticket"],
                actor=actor, rules=(row["rule"],) if row["rule"] else (),
                body={"task": identity, "kind": row["kind"], "note": text},
            )  # fmt: skip
            await tell(connection, NewsKind.TASK, row["site"], {"ticket": row["ticket"], "kind": row["kind"]})
    return rows.task(row)
