"""People are reached by telephone: who is asked to take an emergency, and who must know of it, is rung (R13, R15).

Any number of desks look for whom to ring; a message is claimed for a while (SKIP LOCKED), so a desk or a line that dies
meanwhile leaves it to be rung again. What comes of a call arrives as the line's records: see `callcenter.desk.rung`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from callcenter.desk import unanswered
from callcenter.domain.effects import EffectKind
from callcenter.domain.places import Place
from callcenter.domain.rules import EMERGENCY
from callcenter.domain.tickets import Status
from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.store.pool import AWAY, Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk
    from callcenter.desk.link import NodeLink
    from callcenter.domain.staff import Staff

log = get_logger("desk.reach")
_sql = statements("reach")

RING_S = 60
"""Whoever does not answer for so long is absent: the next is rung (R13)."""

CLAIM_S = 40
"""A message claimed is another desk's after this long, unless the line says that the call is under way."""

CALL_S = 180
"""A call under way is over by then: voice made, rung, told three times. If nothing is heard of it, rung again."""

PER_LINE = 2
"""Calls of ours on one line at once; the line keeps legs for callers besides."""

LINE_RESTS_S = 10
"""A line that does not ring anybody (it drains, it has no leg) is not asked again for so long."""

AGAIN_S = 5
"""Who is asked and engaged or out of reach is rung again, at the next of their numbers, until RING_S are over."""

TELL_AGAIN_S = 60
TELL_FOR = timedelta(minutes=30)
"""Who only has to know is rung again for so long; then it stands on their pages alone."""

LOOK_S = 1.0
"""Messages are looked for at least this often; most often a NOTIFY says that there is one."""

SAID_AT_MOST = 60
"""Characters of what the caller said that are read out."""


@dataclass(frozen=True)
class Order:
    """One person to ring, claimed by this desk."""

    id: int
    key: str
    site: str
    staff: str
    ticket: int
    attempts: int
    to: str
    text: str
    asks: bool


class Reach:
    """This desk's part in ringing people."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: dict[str, tuple[NodeLink, str]] = {}
        """Key of a message → line and call, of the calls this desk ordered."""

    async def work(self) -> None:
        """Ring whom there is to ring, for good."""
        if self._desk.settings.edge.mode == "direct":
            log.info("nobody_is_rung", mend="phones register at the edge: set edge.mode to kamailio")
            await asyncio.Event().wait()
        try:
            while True:
                self.wake.clear()
                await self._look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self.wake.wait()
        finally:
            for task in self._tasks:
                task.cancel()

    async def _look(self) -> None:
        await self._call_off()
        while (link := await self.free_line()) is not None:
            order = await self._claim()
            if order is None:
                return
            link.rings[order.key] = time.monotonic() + CLAIM_S
            self._start(self._dial(link, order))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def free_line(self, most: int = PER_LINE) -> NodeLink | None:
        """The line with the fewest calls, of those with fewer than `most` of ours; None when no line can ring now."""
        now = time.monotonic()
        free = []
        for link in self._desk.links:
            link.rings = {key: until for key, until in link.rings.items() if until > now}
            if link.role == "line" and link.rests_until <= now and len(link.rings) < most:
                free.append(link)
        if len(free) > 1:
            calls = {(r["node"], r["line"]): r["calls"] async for r in _sql.calls_by_line(self._desk.pool)}
            free.sort(key=lambda link: calls.get((link.node, link.number), 0) + len(link.rings))
        return free[0] if free else None

    async def _claim(self) -> Order | None:
        """The next person to ring, ours for a while; whoever need not be rung any more is left out."""
        now = datetime.now(UTC)
        async with self._desk.pool.acquire() as connection, connection.transaction():
            await _sql.one_at_a_time(connection)
            while row := await _sql.next_to_ring(connection, at=now, sites=list(self._desk.sites)):
                order, why = self._order(row, now)
                if order is None:
                    await self._leave_out(connection, row, why, now)
                    continue
                await _sql.claim(connection, id=order.id, until=now + timedelta(seconds=CLAIM_S))
                return order
        return None

    async def _leave_out(self, connection: Connection, row: Any, why: str, now: datetime) -> None:
        """Nobody is rung for this message, because of `why`; who has no number may still see it on their page."""
        patience = timedelta(seconds=RING_S) if row["body"]["kind"] == EffectKind.ASK else TELL_FOR
        if why == "no_number" and now < row["created_at"] + patience:
            await _sql.wait(connection, id=row["id"], at=row["created_at"] + patience, result=why)
            return
        state = "sent" if why == "not_needed" else "failed"
        await _sql.finish(connection, id=row["id"], state=state, result=why, at=now)
        await unanswered.settle(self._desk, connection, row, why, now)

    def _order(self, row: Any, now: datetime) -> tuple[Order | None, str]:
        """What to ring for a message, or why not."""
        organisation = self._desk.site(row["site"]).organisation
        if why := _needless(row, now):
            return None, why
        numbers = self._numbers(organisation.person(row["staff"])) if organisation.knows(row["staff"]) else ()
        if not numbers:
            return None, "no_number"
        attempts = row["attempts"] + 1
        return Order(
            row["id"], row["key"], row["site"], row["staff"], row["ticket"], attempts,
            numbers[(attempts - 1) % len(numbers)], self._text(row), row["body"]["kind"] == EffectKind.ASK,
        ), ""  # fmt: skip

    def _numbers(self, person: Staff) -> tuple[str, ...]:
        """Where the person may be rung: their extension, and their mobile where such numbers may be dialled."""
        may = tuple(self._desk.settings.edge.outbound_prefixes)
        mobile = person.mobile if person.mobile and may and person.mobile.startswith(may) else None
        return tuple(number for number in (person.extension, mobile) if number)

    def _text(self, row: Any) -> str:
        """What is read out: where, what, what the caller said, and what is wanted."""
        site = self._desk.site(row["site"])
        category = site.taxonomy.categories.get(row["category"])
        where = str(Place(row["building"], row["unit"], row["room"]))
        said = (row["content"] or row["heard"] or "")[:SAID_AT_MOST]
        parts = [part for part in (where, category.zh if category else "") if part]
        told = f"来电人说：{said}。" if said else ""
        urgent = "紧急事项" if row["urgency"] == EMERGENCY else "事项"
        return f"{urgent}：{'，'.join(parts) or '地点不详'}。{told}{row['body']['zh']}"

    async def _dial(self, link: NodeLink, order: Order) -> None:
        """Have the line ring the person; one that does not is left alone for a while."""
        error = "link.away"
        try:
            result = await link.command(
                f"dial/{order.key}/{order.attempts}", "dial", to=order.to, purpose="emergency", text=order.text,
                ticket=str(order.ticket), to_staff=order.staff, site=order.site, language="zh", ring_s=RING_S,
                question="take" if order.asks else "know",
            )  # fmt: skip
            if result.get("ok"):
                if order.key in link.rings:  # else its end has come already
                    link.rings[order.key] = time.monotonic() + CALL_S
                    self._under_way[order.key] = (link, str(result["call"]))
                until = datetime.now(UTC) + timedelta(seconds=CALL_S)
                await _sql.under_way(self._desk.pool, id=order.id, attempts=order.attempts, until=until)
                return
            error = str(result.get("error"))
        except (CallCenterError, OSError) as failure:
            error = failure.code if isinstance(failure, CallCenterError) else error
        except AWAY:
            return
        link.rings.pop(order.key, None)
        link.rests_until = time.monotonic() + LINE_RESTS_S
        log.warning("line_rings_nobody", line=link.number, ticket=order.ticket, reason=error)
        with contextlib.suppress(*AWAY):
            await _sql.not_rung(
                self._desk.pool, id=order.id, attempts=order.attempts, result=error, at=datetime.now(UTC)
            )
        self.wake.set()

    async def _call_off(self) -> None:
        """Stop ringing whoever need not take the matter any more: somebody has, or the next is asked."""
        if not self._under_way:
            return
        async for row in _sql.needless(self._desk.pool, keys=list(self._under_way)):
            link, call = self._under_way.pop(row["key"])
            result = "accepted" if row["accepted_by"] == row["staff"] else "r14.already_taken"
            text = self._sentence(result, row["accepted_by"], row["site"])
            self._start(_tell(link, call, "off", text))

    def over(self, key: str) -> None:
        """The call for a message has ended: its line may ring the next."""
        self._under_way.pop(key, None)
        for link in self._desk.links:
            link.rings.pop(key, None)
        self.wake.set()

    def answered(self, link: NodeLink, call: UUID, ticket: int, staff: str) -> None:
        """A key was pressed and stored: tell the person, who is still on the telephone, what came of it."""
        self._start(self._say_verdict(link, call, ticket, staff))

    async def _say_verdict(self, link: NodeLink, call: UUID, ticket: int, staff: str) -> None:
        with contextlib.suppress(*AWAY):
            row = await _sql.verdict(self._desk.pool, ticket=ticket, staff=staff)
            if row is not None:
                text = self._sentence(row["result"], row["accepted_by"], row["site"])
                await _tell(link, str(call), "key", text)

    def _sentence(self, result: str, taken_by: str | None, site: str) -> str:
        if result == "r14.already_taken" and taken_by is not None:
            organisation = self._desk.site(site).organisation
            who = organisation.person(taken_by).called() if organisation.knows(taken_by) else "同事"
            return f"该事项已由{who}接受，您无需处理。谢谢，再见。"
        return {
            "accepted": "已登记，该事项由您负责。谢谢，再见。",
            "refused": "已登记，将移交下一位。再见。",
            "known": "已登记。谢谢，再见。",
            "r14.last_resort": "您是最后责任人，不能拒绝，请尽快处理。再见。",
        }.get(result, "该事项已不需要您处理。谢谢，再见。")


def _needless(row: Any, now: datetime) -> str:
    """Why nobody need be rung for a message; empty where somebody must."""
    if row["ticket"] is None or row["closed_at"] is not None or row["status"] == Status.JOINED:
        return "not_needed"
    if row["body"]["kind"] == EffectKind.ASK:
        still = row["status"] == Status.HANDED_OVER and row["asked"] == row["staff"]
        return "" if still else "not_needed"
    return "too_late" if now - row["created_at"] > TELL_FOR else ""


async def _tell(link: NodeLink, call: str, why: str, text: str) -> None:
    """Say a last sentence to a person on the telephone; whoever has not answered yet is rung no more."""
    with contextlib.suppress(CallCenterError, OSError):
        await link.command(f"verdict/{call}/{why}", "verdict", call=call, text=text)


async def ringing_until(connection: Connection, ticket: int, staff: str, state: str, at: datetime) -> None:
    """The call to a person is under way, on whichever line: nobody else rings them meanwhile."""
    until = at + timedelta(seconds=CALL_S)
    await _sql.progress(connection, ticket=ticket, staff=staff, result=state, until=until)


__all__ = ["AGAIN_S", "RING_S", "TELL_AGAIN_S", "Order", "Reach", "ringing_until"]
