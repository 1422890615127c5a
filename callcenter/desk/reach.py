"""People are reached by telephone: who is asked to take an emergency, and who must know of it, is rung (R13, R15).

Any number of desks look for whom to ring; a message is claimed for a while (SKIP LOCKED), so a desk or a line that dies
meanwhile leaves it to be rung again. What comes of a call arrives as the line's records: see `callcenter.desk.rung`.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from callcenter.desk import unanswered
from callcenter.desk.outbound import CLAIM_S, Order, OutboundQueue
from callcenter.domain.effects import EffectKind
from callcenter.domain.places import Place
from callcenter.domain.rules import EMERGENCY
from callcenter.domain.tickets import Status
from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.store.pool import AWAY, Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.link import NodeLink
    from callcenter.domain.staff import Staff

log = get_logger("desk.reach")
_sql = statements("reach")

RING_S = 60
"""Whoever does not answer for so long is absent: the next is rung (R13)."""

CALL_S = 180
"""A call under way is over by then: voice made, rung, told three times. If nothing is heard of it, rung again."""

PER_LINE = 2
"""Calls of ours on one line at once; the line keeps legs for callers besides."""

AGAIN_S = 5
"""Who is asked and engaged or out of reach is rung again, at the next of their numbers, until RING_S are over."""

TELL_AGAIN_S = 60
TELL_FOR = timedelta(minutes=30)
"""Who only has to know is rung again for so long; then it stands on their pages alone."""

LOOK_S = 1.0
"""Messages are looked for at least this often; most often a NOTIFY says that there is one."""

SAID_AT_MOST = 60
"""Characters of what the caller said that are read out."""


class Reach(OutboundQueue):
    """Messages to our people whose channel is the telephone."""

    look_s = LOOK_S
    call_s = CALL_S
    per_line = PER_LINE

    def why_not(self) -> str:
        """See OutboundQueue: phones register at the edge."""
        return "direct mode has no registrar" if self._desk.settings.edge.mode == "direct" else ""

    async def look(self, at: datetime) -> None:
        """Stop ringing whom nobody need ring any more, and ring whom there is to ring."""
        await self._call_off()
        await self.ring(at)

    async def claim(self, at: datetime) -> Order | None:
        """The next person to ring; whoever need not be rung any more is left out."""
        async with self._desk.pool.acquire() as connection, connection.transaction():
            await _sql.one_at_a_time(connection)
            sites, lost = list(self._desk.sites), self.lines_have_told()
            while row := await _sql.next_to_ring(connection, at=at, sites=sites, lost=lost):
                order, why = self._order(row, at)
                if order is None:
                    await self._leave_out(connection, row, why, at)
                    continue
                await _sql.claim(connection, id=order.id, until=at + timedelta(seconds=CLAIM_S))
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
        command = {
            "to": numbers[(attempts - 1) % len(numbers)], "purpose": "emergency", "text": self._text(row),
            "ticket": str(row["ticket"]), "to_staff": row["staff"], "site": row["site"], "language": "zh",
            "ring_s": RING_S, "question": "take" if self._may_take(row) else "know",
        }  # fmt: skip
        return Order(row["id"], row["key"], attempts, command), ""

    def _may_take(self, row: Any) -> bool:
        """Whoever is asked (R13); with `rules.emergency_rings` at once, the duty leader who is told as well (R15)."""
        if row["body"]["kind"] == EffectKind.ASK:
            return True
        leads = row["body"].get("rule") == "R15" and row["body"]["kind"] == EffectKind.TELL
        manager = self._desk.site(row["site"]).organisation.general_manager
        at_once = self._desk.settings.rules.emergency_rings == "at_once"
        return at_once and leads and row["staff"] != manager and row["status"] == Status.HANDED_OVER

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

    async def under_way(self, order: Order, call: str, until: datetime) -> None:
        """See OutboundQueue."""
        del call
        await _sql.under_way(self._desk.pool, id=order.id, attempts=order.attempts, until=until)

    async def not_rung(self, order: Order, error: str) -> None:
        """See OutboundQueue: at once, it is urgent."""
        now = datetime.now(UTC)
        await _sql.not_rung(self._desk.pool, id=order.id, attempts=order.attempts, result=error, at=now)

    async def _call_off(self) -> None:
        """Stop ringing whoever need not take the matter any more: somebody has, or the next is asked."""
        if not self.calling:
            return
        async for row in _sql.needless(self._desk.pool, keys=list(self.calling)):
            link, call = self.calling.pop(row["key"])
            result = "accepted" if row["accepted_by"] == row["staff"] else "r14.already_taken"
            text = self._sentence(result, row["accepted_by"], row["site"])
            self.start(_tell(link, call, "off", text))

    def answered(self, link: NodeLink, call: UUID, ticket: int, staff: str) -> None:
        """A key was pressed and stored: tell the person, who is still on the telephone, what came of it."""
        self.start(self._say_verdict(link, call, ticket, staff))

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
    if row["body"]["rule"] == "R15" and not row["major"]:  # a person has listened, and it is none
        return "not_needed"
    return "too_late" if now - row["created_at"] > TELL_FOR else ""


async def _tell(link: NodeLink, call: str, why: str, text: str) -> None:
    """Say a last sentence to a person on the telephone; whoever has not answered yet is rung no more."""
    with contextlib.suppress(CallCenterError, OSError):
        await link.command(f"verdict/{call}/{why}", "verdict", call=call, text=text)


async def ringing_until(connection: Connection, ticket: int, staff: str, state: str, at: datetime) -> None:
    """The call to a person is under way, on whichever line: nobody else rings them meanwhile."""
    until = at + timedelta(seconds=CALL_S)
    await _sql.progress(connection, ticket=ticket, staff=staff, result=state, until=until)


__all__ = ["AGAIN_S", "CALL_S", "RING_S", "TELL_AGAIN_S", "Reach", "ringing_until"]
