"""What came of our calls to residents: a promise kept, a matter archived or opened again, a person's turn (R22, R23).

Applied while the line's record is stored, once per call. Until a clear answer has come, the call-back and the follow-up
stay on people's lists.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from callcenter.desk import matters, search
from callcenter.desk.acts import once
from callcenter.desk.events import tell
from callcenter.desk.models import NewsKind
from callcenter.desk.resident_calls import RINGING_S, next_decent
from callcenter.domain import codec, work
from callcenter.domain.again import open_again
from callcenter.domain.effects import Course, Outcome
from callcenter.domain.handover import relabel
from callcenter.domain.labels import Understanding
from callcenter.domain.matters import Matter
from callcenter.domain.numbers import canonical
from callcenter.domain.places import Place
from callcenter.domain.rules import EMERGENCY, more_urgent
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import CALLER, RULE, Act, Status, TicketState
from callcenter.errors import DomainError
from callcenter.log import get_logger
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk
    from callcenter.desk.projection import Applying

log = get_logger("desk.residents_rung")
_sql = statements("resident")
_calls = statements("call")

PURPOSES = frozenset({"callback", "follow_up"})
TALK_S = 1800
"""A call that was picked up is over by then, or its line is gone."""

SATISFIED_FROM = 3
"""A lower score is not satisfied, whatever else was said: the matter is opened again (R23)."""

_SCORED = {
    1: ("很不满意", "very dissatisfied"), 2: ("不满意", "dissatisfied"), 3: ("一般", "neither"),
    4: ("满意", "satisfied"), 5: ("非常满意", "very satisfied"),
}  # fmt: skip
_HOW = {
    "no_answer": ("无人接听", "no answer"), "busy": ("占线", "engaged"), "unreachable": ("无法接通", "out of reach"),
    "no_clear_answer": ("没有明确答复", "no clear answer"), "wrong_number": ("号码有误", "a wrong number"),
    "no_news": ("没有结果", "nothing was heard of it"), "line_died": ("线路中断", "the line broke off"),
}  # fmt: skip
"""What came of a call that did not reach them, in both languages."""


def ours(a: Applying) -> bool:
    """Whether this record is of a call to a resident."""
    return a.body.get("purpose") in PURPOSES


async def ringing(a: Applying) -> None:
    """`call.ringing` with direction out: a row of `call` like any other, of its matter."""
    await _sql.ring_out(
        a.connection, id=a.call, site=a.site, journal=a.record.journal, node=a.body.get("node") or a.node,
        line=a.body.get("line"), number=a.number("to_number"), dialplan=a.body.get("dialplan"), at=a.record.at,
        ticket=_number(a),
    )  # fmt: skip


async def person_call(a: Applying) -> None:
    """`person.call`: how far it has come."""
    state = str(a.body["state"])
    talks = state == "answered"
    if talks:
        a.desk.resident_calls.goes_on(str(a.body.get("order")), TALK_S)
    until = datetime.now(UTC) + timedelta(seconds=TALK_S if talks else RINGING_S)
    await _sql.progress(a.connection, key=a.body.get("order"), call=a.call, result=state, until=until)
    await tell(a.connection, NewsKind.TICKET, a.site, {"ticket": _number(a), "kind": a.record.kind.value})


async def person_answer(a: Applying) -> None:
    """`person.answer`: what the resident said, or that they were not reached."""
    key = str(a.body.get("order"))
    a.desk.resident_calls.over(key)
    if not await once(a.connection, f"person:{a.call}", RULE):
        return
    row = await _sql.by_key(a.connection, key=key)
    if row is None or row["state"] not in {"calling", "due"}:
        log.info("answer_of_nobody_rung", ticket=_number(a))
        return
    await _apply(a.desk, a.connection, row, a.call, a.body)


async def _apply(desk: Desk, connection: Connection, row: Any, call: UUID, body: dict[str, Any]) -> None:
    answer, now = str(body["answer"]), datetime.now(UTC)
    score = body.get("score")
    words = str(body.get("words") or "")
    state = await matters.load(connection, row["ticket"])
    around = await matters.situation(desk, connection, state.site)
    match answer:
        case "bridged" | "heard":
            if row["purpose"] == "callback":
                said = (f"住户说：{words}", f"the resident said: {words}")
                note = said if answer == "heard" else await _spoke_to(connection, around, call)
                later = row["callback"] is None and await _sql.promised_by_person(
                    connection, ticket=row["ticket"], at=now
                )
                kept = row["number"] if not later else None
                other = await matters.callback_due(connection, state.ticket, but=row["number"])
                outcome = _called_back(around, state, answer, note, kept=kept, other_due=other)
                await matters.save(desk, connection, around, outcome, call=call)
            else:  # spoke to a person instead: that person closes it
                note = (
                    "回访时已接通值班员，请值班员完成回访。",
                    "The resident spoke to the operator on duty, who completes the follow-up.",
                )
                await matters.save(desk, connection, around, work.note(around, state, RULE, *note), call=call)
        case "solved" | "unsolved":
            solved = answer == "solved"
            await _followed_up(desk, connection, around, state, call, solved=solved, score=score, said=words)
        case "wrong_number":
            await give_up(desk, connection, row, answer)
            return
        case _ if row["purpose"] == "follow_up" and state.status is not Status.FOLLOW_UP_DUE:
            answer = "not_needed"  # it is open again, by what they said or by a person: there is nothing to ask
        case _:
            await _not_reached(desk, connection, row, call)
            return
    await _sql.finish(connection, id=row["id"], state="done", result=answer, score=score, at=now)
    await tell(connection, NewsKind.CALLBACK, row["site"], {"ticket": row["ticket"], "kind": "done"})


async def _spoke_to(connection: Connection, around: Situation, call: UUID) -> tuple[str, str]:
    """Whom the resident was bridged to, in both languages: whoever picked up."""
    staff = await connection.fetchval("select receiver from call where id = $1", call)
    if not staff:
        return "已接通负责人。", "put through to whoever is responsible."
    person = around.organisation.once_here(staff)
    return f"已接通{person.called()}。", f"put through to {person.called('en')}."


def _called_back(
    around: Situation, state: TicketState, answer: str, note: tuple[str, str], *, kept: str | None,
    other_due: datetime | None,
) -> Outcome:  # fmt: skip
    """What was promised to the number `kept` is kept; None: a person has promised a later time, which stands. What was
    said, or to whom they spoke, is in the history (R22)."""
    course = Course(around, state)
    if state.status.open and kept is not None:
        made = work.called_back(around, state, RULE, number=kept, other_due=other_due)
        course = Course.after(around, made)
    course.add(Act.NOTE, RULE, note=f"回电：{note[0]}", note_en=f"Called: {note[1]}")
    if answer == "heard":
        sentence = ("已回电，住户有新的说明，请查看。", "The resident was called back and has told more: please look.")
        course.tell((state.responsible,), "R22", sentence)
    return course.outcome()


async def _followed_up(
    desk: Desk, connection: Connection, around: Situation, state: TicketState, call: UUID, *, solved: bool,
    score: int | None, said: str,
) -> None:  # fmt: skip
    """Satisfied archives, not satisfied reopens to the first responder (R23)."""
    content = solved and (score is None or score >= SATISFIED_FROM)
    zh, en = ("已解决", "solved") if solved else ("没有解决", "not solved")
    if score:
        zh, en = f"{zh}，{_SCORED[score][0]}（{score}分）", f"{en}, {_SCORED[score][1]} ({score} of 5)"
    told = ("", "") if solved or not said else (f"住户说：{said}", f" The resident said: {said}")
    note = (f"电话回访：{zh}。{told[0]}", f"Follow-up call: {en}.{told[1]}")
    try:
        deed = work.satisfied if content else work.unsatisfied
        outcome = deed(around, state, CALLER, *note)
    except DomainError as error:  # a person was quicker
        log.info("answer_changes_nothing", ticket=state.ticket, why=error.code)
        outcome = work.note(around, state, CALLER, *note)
    await matters.save(desk, connection, around, outcome, call=call)


async def _not_reached(
    desk: Desk, connection: Connection, row: Any, call: UUID | None, *, line_died: bool = False
) -> None:
    """Rung again at a decent hour, or at once where a line of ours failed them; at most so often, then it is a
    person's."""
    settings, now = desk.settings.residents, datetime.now(UTC)
    how = {None: "no_answer", "answered": "no_clear_answer"}.get(row["result"], row["result"])
    how = "line_died" if line_died else how
    if row["callback"] is not None:
        await _sql.tried(connection, id=row["callback"], result=how)
    if row["attempts"] >= settings.attempts:
        await give_up(desk, connection, row, how, call)
        return
    if line_died:
        await _sql.put_off(connection, id=row["id"], at=now, result=how)
        return
    first, last = settings.span
    calendar = desk.site(row["site"]).rules_at(now).calendar
    workdays = settings.workdays_only and row["purpose"] == "follow_up"
    later = next_decent(now + timedelta(minutes=settings.again_after_min), first, last, calendar, workdays=workdays)
    await _sql.put_off(connection, id=row["id"], at=later, result=how)
    await connection.execute("update resident_call set asked_by = null where id = $1", row["id"])


async def give_up(desk: Desk, connection: Connection, row: Any, how: str, call: UUID | None = None) -> None:
    """The telephone did not reach them: whoever answers for it is told, and it stays on their list (R22, R23)."""
    await _sql.finish(connection, id=row["id"], state="given_up", result=how, score=None, at=datetime.now(UTC))
    state = await matters.load(connection, row["ticket"])
    if not state.status.open:
        return
    around = await matters.situation(desk, connection, state.site)
    if row["purpose"] == "follow_up" and state.status is Status.FOLLOW_UP_DUE:
        await matters.save(desk, connection, around, work.not_reached(around, state, RULE), call=call)
        return
    course = Course(around, state)
    zh, en, tries = *_HOW.get(how, (how, how)), row["attempts"]
    course.add(
        Act.NOTE, RULE, note=f"自动回电{tries}次未成（{zh}），请人工联系。",
        note_en=f"Called {tries} times in vain ({en}): a person has to call them.",
    )  # fmt: skip
    sentence = ("自动回电未接通，请人工联系住户。", "The resident was not reached by telephone: please call them.")
    course.tell((state.responsible,), "R22", sentence)
    await matters.save(desk, connection, around, course.outcome(), call=call)


async def amended(a: Applying) -> bool:
    """`ticket.amended` in a call of ours: what the resident tells becomes part of the matter; false for other calls."""
    if await a.connection.fetchval("select direction from call where id = $1", a.call) != "out":
        return False
    labels = codec.from_plain(Understanding, a.body["labels"])
    fields = a.body.get("fields") or {}
    state = await matters.load(a.connection, _number(a))
    if not state.status.open:
        return True
    site = a.desk.site(a.site)
    found = Matter.understood(labels, site.gazetteer.complete(Place.spoken(labels.place)))
    found = replace(found, to_confirm=found.to_confirm or site.gazetteer.lacks(found.place))
    said, record = str(fields.get("text") or ""), state.record
    undone = found.urgency == EMERGENCY and found.says_undone(state.status.value)
    if state.matter.empty:
        matter = replace(found, call_back_at=state.matter.call_back_at, households=state.matter.households)
        place = found.place
        record = replace(
            record, name=record.name or labels.name.value, kind=found.kind, building=place.building, unit=place.unit,
            room=place.room, number=canonical(labels.phone.value, site.area_code) or record.number, content=said,
        )  # fmt: skip
    elif found.urgency == EMERGENCY and (undone or more_urgent(found.urgency, state.matter.urgency)):
        matter = replace(state.matter, urgency=found.urgency, category=found.category, department=found.department)
        record = replace(record, content="；".join(part for part in (record.content, said) if part))
    else:
        return True  # its words are noted when the call is over
    if (matter, record) != (state.matter, state.record):
        around = await matters.situation(a.desk, a.connection, state.site)
        outcome = relabel(around, state, RULE, matter, record)
        if undone:  # danger told in the follow-up call: its department is asked at once, not after it (R17, R23)
            course = Course.after(around, outcome)
            open_again(course, CALLER, Act.UNSATISFIED, "")
            outcome = course.outcome()
        await matters.save(a.desk, a.connection, around, outcome, call=a.call)
        number = matters.number_of(state.ticket)
        await a.connection.execute("update ticket set content = $2 where number = $1", number, record.content)
    return True


async def completed(desk: Desk, connection: Connection, row: Any) -> None:
    """A call of ours has ended and its text is complete: found by its words, of its matter, no matter of its own."""
    heard = [turn["text"] async for turn in _calls.heard(connection, call=row["id"])]
    text = "，".join(part for part in heard if part)
    now = datetime.now(UTC)
    await _calls.complete(connection, id=row["id"], at=now, ticket=row["ticket"], labels=None)
    await search.index_call(connection, row["id"], text)
    left = await _sql.by_call(connection, call=row["id"])
    if left is not None:  # its line died before it could say what came of it
        desk.resident_calls.over(left["key"])
        await _not_reached(desk, connection, left, row["id"], line_died=True)


def _number(a: Applying) -> int:
    return matters.number_of(str(a.body["ticket"]))
