"""What people answer on the telephone: the same acts as on the pages, once, while the record is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from callcenter.desk import matters, residents_rung
from callcenter.desk.acts import once
from callcenter.desk.events import tell
from callcenter.desk.models import NewsKind
from callcenter.desk.reach import AGAIN_S, CALL_S, RING_S, TELL_AGAIN_S, ringing_until
from callcenter.domain import handover
from callcenter.domain.clockwork import not_answering
from callcenter.domain.effects import EffectKind, Outcome
from callcenter.domain.rules import EMERGENCY
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import Status, TicketState
from callcenter.errors import DomainError
from callcenter.log import get_logger
from callcenter.store.pool import statements

if TYPE_CHECKING:
    from callcenter.desk.projection import Applying

log = get_logger("desk.rung")
_sql = statements("reach")

REFUSED_BY_KEY = ("电话中按2，表示不能处理", "2 was pressed on the telephone: cannot take it")
"""The reason that a refusal by telephone has (R16), in both languages."""


def _of(a: Applying) -> tuple[int, str] | None:
    """Ticket and person of a record about a call to one of ours; None for calls to residents."""
    ticket, staff = a.body.get("ticket"), a.body.get("to_staff")
    if ticket is None or staff is None or not a.desk.site(a.site).organisation.knows(staff):
        return None
    return matters.number_of(str(ticket)), str(staff)


async def person_call(a: Applying) -> None:
    """`person.call`: how far the call has come."""
    if residents_rung.ours(a):
        await residents_rung.person_call(a)
        return
    of = _of(a)
    if of is None:
        return
    await ringing_until(a.connection, *of, str(a.body["state"]), datetime.now(UTC))
    await tell(a.connection, NewsKind.TICKET, a.site, {"ticket": of[0], "kind": a.record.kind.value})


async def person_answer(a: Applying) -> None:
    """`person.answer`: accepted, refused, or none; the first to accept has the matter, the next hears so (R13, R14)."""
    if residents_rung.ours(a):
        await residents_rung.person_answer(a)
        return
    of = _of(a)
    if of is None or not await once(a.connection, f"person:{a.call}", of[1]):
        return
    number, staff = of
    row = await _sql.of_answer(a.connection, ticket=number, staff=staff)
    if row is None:
        log.warning("answer_of_nobody_rung", ticket=number)
        return
    a.desk.reach.over(row["key"])
    asks = row["body"]["kind"] == EffectKind.ASK
    match a.body["answer"]:
        case "accepted" if asks or a.body.get("question") == "take":  # the duty leader may be rung along with them
            result = await _act(a, number, lambda around, state: handover.accept(around, state, staff))
            await _finish(a, row, result or "accepted")
        case "refused" if asks:
            result = await _act(a, number, lambda around, state: _refused(around, state, staff))
            await _finish(a, row, result or "refused")
        case "accepted" | "refused":
            await _finish(a, row, "known")
        case "lost":
            await _again(a, row)
        case _:
            await _nobody(a, row, number, staff, asks=asks)
    await tell(a.connection, NewsKind.TICKET, a.site, {"ticket": number, "kind": a.record.kind.value})


async def _act(a: Applying, number: int, deed: Any) -> str:
    """Do what the person decided, under the matter's lock; the code of the rule that forbids it, or nothing."""
    state = await matters.load(a.connection, number)
    around = await matters.situation(a.desk, a.connection, state.site)
    try:
        outcome: Outcome = deed(around, state)
    except DomainError as error:
        log.info("answer_changes_nothing", ticket=number, why=error.code)
        return error.code
    await matters.save(a.desk, a.connection, around, outcome, call=a.call)
    return ""


def _refused(around: Situation, state: TicketState, staff: str) -> Outcome:
    if state.status is not Status.HANDED_OVER or state.asked != staff:
        raise DomainError("r13.not_asked", "somebody else is asked by now", mend="nothing is left to do here")
    return handover.refuse(around, state, staff, *REFUSED_BY_KEY)


async def _finish(a: Applying, row: Any, result: str) -> None:
    await _sql.finish(a.connection, id=row["id"], state="seen", result=result, at=datetime.now(UTC))


async def _again(a: Applying, row: Any) -> None:
    """The line died while it rang them, which is no fault of theirs: rung again at once, if nobody has since (R13)."""
    now = datetime.now(UTC)
    if row["state"] == "sending" and now - datetime.fromisoformat(a.body["rung_at"]) < timedelta(seconds=CALL_S):
        await _sql.put_off(a.connection, id=row["id"], at=now, result="lost")


async def _nobody(a: Applying, row: Any, number: int, staff: str, *, asks: bool) -> None:
    """Nobody took it: rung again, and once the person could not be reached for RING_S the next is asked (R13)."""
    if row["state"] != "sending":
        return
    now = datetime.now(UTC)
    how = row["result"] or "no_answer"
    if not asks:
        await _sql.put_off(a.connection, id=row["id"], at=now + timedelta(seconds=TELL_AGAIN_S), result=how)
    elif row["urgency"] != EMERGENCY:  # rung because they chose so: their page and the limit stand as ever
        await _sql.finish(a.connection, id=row["id"], state="sent", result=how, at=now)
    elif how == "no_answer" or now - row["created_at"] >= timedelta(seconds=RING_S):
        await _act(a, number, lambda around, state: not_answering(around, state, staff))
        await _sql.finish(a.connection, id=row["id"], state="sent", result=how, at=now)
    else:
        await _sql.put_off(a.connection, id=row["id"], at=now + timedelta(seconds=AGAIN_S), result=how)
