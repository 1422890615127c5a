"""Residents are rung: the call-back that was promised, at its time (R22); the follow-up the same day (R23).

A call is planned from the lists that people work from (`callback`, `task`), so a person who is quicker, or a house that
rings nobody, finds everything there. Any number of desks look for whom to ring; what comes of a call arrives as the
line's records: see `callcenter.desk.residents_rung`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from callcenter.config import ResidentSettings, Settings
from callcenter.desk import matters
from callcenter.desk.acts import once
from callcenter.desk.events import tell
from callcenter.desk.models import NewsKind
from callcenter.desk.outbound import CLAIM_S, Order, OutboundQueue
from callcenter.domain.calendar import WorkingCalendar
from callcenter.domain.rules import EMERGENCY
from callcenter.domain.situation import Situation
from callcenter.errors import DomainError
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_sql = statements("resident")

LOOK_S = 2.0
RING_S = 40
RINGING_S = 120
"""A resident that rings has answered, or not, by then."""

NO_LINE_S = 10
"""A line that could not ring leaves it to be tried again after so long."""

KEEP_S = 300
"""A promise whose time is not longer past than this is kept at any hour; what is later waits for a decent one (R22)."""

LOOK_AHEAD_DAYS = 60


class ResidentCalls(OutboundQueue):
    """Calls to residents."""

    look_s = LOOK_S
    call_s = RINGING_S
    per_line = 1
    """Once the resident is there, the phone of a person of ours is rung by the same line."""
    leaves_one = True
    """Such a line has no leg left for an emergency (R13)."""

    def why_not(self) -> str:
        """See OutboundQueue."""
        return why_not(self._desk.settings)

    async def look(self, at: datetime) -> None:
        """Plan what is due at `at`, and ring as many as there are lines, and calls a minute, for it."""
        sites, settings = list(self._desk.sites), self._desk.settings.residents
        done_before = at - timedelta(minutes=settings.follow_up_after_min)
        async with self._desk.pool.acquire() as connection, connection.transaction():
            await _sql.plan_callbacks(connection, sites=sites, at=at)
            await _sql.plan_follow_ups(connection, sites=sites, done_before=done_before, at=at)
        await self.ring(at)

    async def claim(self, at: datetime) -> Order | None:
        """The next resident to ring; whoever need not or may not be rung now is left out."""
        async with self._desk.pool.acquire() as connection, connection.transaction():
            await _sql.one_at_a_time(connection)
            lately = await _sql.rung_lately(connection, since=at - timedelta(minutes=1))
            if lately >= self._desk.settings.residents.calls_per_min:
                return None
            sites, lost = list(self._desk.sites), self.lines_have_told()
            while row := await _sql.next(connection, at=at, sites=sites, lost=lost):
                if await self._left_out(connection, row, at):
                    continue
                around = await matters.situation(self._desk, connection, row["site"], at)
                phones = {found["user"] for found in await connection.fetch('select "user" from phone')}
                await _sql.claim(connection, id=row["id"], at=at, until=at + timedelta(seconds=CLAIM_S))
                return Order(row["id"], row["key"], row["attempts"] + 1, self._command(row, around, phones))
        return None

    async def under_way(self, order: Order, call: str, until: datetime) -> None:
        """See OutboundQueue."""
        await _sql.under_way(self._desk.pool, id=order.id, attempts=order.attempts, until=until, call=call)

    async def not_rung(self, order: Order, error: str) -> None:
        """See OutboundQueue: in a moment; it counts as no try."""
        later = datetime.now(UTC) + timedelta(seconds=NO_LINE_S)
        await _sql.not_rung(self._desk.pool, id=order.id, attempts=order.attempts, result=error, at=later)

    async def _left_out(self, connection: Connection, row: Any, at: datetime) -> bool:
        """Whether this resident is not rung now; then the row says so, and the next is looked at."""
        settings = self._desk.settings
        calendar = self._desk.site(row["site"]).rules_at(at).calendar
        if not _wanted(row):
            await _sql.finish(connection, id=row["id"], state="dropped", result="not_needed", score=None, at=at)
        elif dialable(row["number"], settings.edge.outbound_prefixes) is None:
            await _sql.finish(connection, id=row["id"], state="given_up", result="not_dialable", score=None, at=at)
        elif row["attempts"] >= settings.residents.attempts:
            from callcenter.desk import residents_rung

            await residents_rung.give_up(self._desk, connection, row, row["result"] or "no_news")
        elif (later := ring_at(row, settings.residents, calendar, at)) > at:
            await _sql.put_off(connection, id=row["id"], at=later, result=None)
        else:
            return False
        return True

    def _command(self, row: Any, around: Situation, phones: set[str]) -> dict[str, Any]:
        """The command's fields: whom, why, and whose phone rings once the resident is there."""
        script = str(row["dialplan"] or "")
        silent = row["reason"] in {"silence", "unserved"}
        return {
            "to": dialable(row["number"], self._desk.settings.edge.outbound_prefixes), "purpose": row["purpose"],
            "ticket": str(row["ticket"]), "order": row["key"], "site": row["site"], "ring_s": RING_S,
            "language": "en" if script.endswith(".en") else "zh", "bridge_to": _bridge_to(row, around, phones),
            "about": None if silent and row["purpose"] == "callback" else {"category": row["category"]},
            "flags": [row["reason"], "nothing_said"] if silent else [row["reason"]] if row["reason"] else [],
        }  # fmt: skip


def why_not(settings: Settings) -> str:
    """Why this house rings no resident; empty where it does."""
    edge = settings.edge
    if not settings.residents.calls:
        return "residents.calls is off"
    if edge.mode == "direct":
        return "direct mode has no trunk"
    if not edge.outbound_prefixes or not any(trunk.outbound for trunk in edge.trunks):
        return "no trunk takes outbound calls"
    return ""


_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_FIXED = re.compile(r"(?:10|2[0-9])[0-9]{8}|[3-9][0-9]{2}[0-9]{7,8}")
"""Area code and number, without the 0."""
_LOCAL = re.compile(r"[2-8][0-9]{6,7}")
_ABROAD = re.compile(r"\+(?!86)[1-9][0-9]{6,14}")
"""E.164: at most 15 figures."""


def dialable(number: str, prefixes: list[str]) -> str | None:
    """A stored number as it is dialled: +86138… as 138…, +8610… as 010…; None where no listed prefix allows it.

    None as well for what is no subscriber's whole number, whatever its prefix: callers write into From what they like,
    and a call-back to a premium number (12590…, 168…) is what a thief waits for, one to 110 or 119 an alarm.
    """
    national, written = number.removeprefix("+86"), ""
    if number.startswith("+86"):
        written = national if _MOBILE.fullmatch(national) else f"0{national}" if _FIXED.fullmatch(national) else ""
    elif _LOCAL.fullmatch(number) or _ABROAD.fullmatch(number):
        written = number
    if not written:
        return None
    return next((one for one in (written, number) if one.startswith(tuple(prefixes))), None)


def ring_at(row: Any, settings: ResidentSettings, calendar: WorkingCalendar, at: datetime) -> datetime:
    """When this resident may be rung: `at`, or the next decent hour.

    At any hour only what somebody wants now, and a promise to who waits for it or is in danger (R22).
    """
    if row["asked_by"] is not None:
        return at
    if row["purpose"] == "callback":
        promised = row["reason"] == "promised" or row["urgency"] == EMERGENCY
        if promised and row["promised_at"] is not None and at - row["promised_at"] <= timedelta(seconds=KEEP_S):
            return at
    first, last = settings.span
    workdays = settings.workdays_only and row["purpose"] == "follow_up"
    return next_decent(at, first, last, calendar, workdays=workdays)


def next_decent(at: datetime, first: time, last: time, calendar: WorkingCalendar, *, workdays: bool) -> datetime:
    """`at` where it lies between the two local times (on a workday, if so wished), else when that next begins."""
    day: date = calendar.day(at)
    for _ in range(LOOK_AHEAD_DAYS):
        if not workdays or calendar.is_workday(day):
            begins, ends = calendar.at(day, first), calendar.at(day, last)
            if at < ends:
                return max(at, begins)
        day += timedelta(days=1)
    return at + timedelta(days=1)


def _wanted(row: Any) -> bool:
    """Whether the call is still to be made: a person may have been quicker."""
    if row["purpose"] == "follow_up":
        return (row["task_state"], row["status"]) == ("open", "follow_up_due")
    if row["callback"] is None:
        return row["status"] not in {"joined", "archived"}
    return str(row["callback_state"]) in {"due", "calling"}


def _bridge_to(row: Any, around: Situation, phones: set[str]) -> str | None:
    """Extension of whoever wanted the call, else is responsible, else operator on duty; a follow-up's is the last."""
    people = [around.operator_or_last_resort]
    if row["purpose"] == "callback":
        people = [p for p in (row["asked_by"], row["responsible"]) if p] + people
    for person in people:
        extension = around.organisation.once_here(person).extension
        if around.available(person) and extension in phones:
            return extension
    return None


async def ring_now(
    desk: Desk, actor: str, key: str, *, callback: int | None = None, ticket: int | None = None
) -> dict[str, Any]:
    """Have a resident rung at once, once per key: for a call-back, or about a matter (its follow-up where that is due).

    The telephone of `actor` rings once the resident is there. Raises DomainError `residents.not_rung` where this house
    rings nobody, `residents.nobody_to_ring` without a number, and where the call is over or under way.
    """
    if why := why_not(desk.settings):
        raise DomainError("residents.not_rung", f"residents are not rung: {why}", mend="call by hand, from the list")
    now = datetime.now(UTC)
    async with desk.pool.acquire() as connection, connection.transaction():
        if not await once(connection, f"ring:{callback or ticket}:{key}", actor):
            return {}
        staff = await connection.fetchval("select id from staff where id = $1", actor)
        if callback is not None:
            row = await _sql.ask_callback(connection, callback=callback, staff=staff, at=now)
        else:
            row = await _sql.ask_matter(connection, ticket=ticket, staff=staff, key=key, at=now)
        if row is None:
            raise DomainError(
                "residents.nobody_to_ring", "there is no number to ring, or the call is under way",
                mend="look at the matter again",
            )  # fmt: skip
        await tell(connection, NewsKind.CALLBACK, row["site"], {"ticket": row["ticket"], "kind": "asked"})
    desk.resident_calls.wake.set()
    return dict(row)


async def of_ticket(desk: Desk, number: int) -> list[dict[str, Any]]:
    """Calls of ours to the resident of a matter, oldest first: purpose, state, attempts, result, score, call."""
    return [dict(row) async for row in _sql.of_ticket(desk.pool, ticket=number)]
