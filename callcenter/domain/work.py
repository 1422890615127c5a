"""Work on a matter and its end: begun, waiting, done, followed up, reopened (R12, R18–R23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from callcenter.domain.again import called_again, open_again
from callcenter.domain.deadlines import Clock, Deadline
from callcenter.domain.effects import Course, EffectKind, Outcome
from callcenter.domain.handover import concerned, keep_report, resume, take
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import CALLER, RULE, Act, Status, TicketState, WaitFor
from callcenter.errors import DomainError


def _begin(situation: Situation, state: TicketState, by: str) -> Course:
    if not concerned(situation, state, by):
        raise DomainError(
            "r14.not_concerned", "the matter is not this person's",
            mend="it is for whoever is responsible, the department in charge, and those above",
        )  # fmt: skip
    return Course(situation, state)


def _take_first(course: Course, by: str) -> None:
    """Whoever works on what waits for acceptance has accepted it."""
    if course.state.status is Status.HANDED_OVER:
        take(course, by)


def start(situation: Situation, state: TicketState, by: str) -> Outcome:
    """Begin the work."""
    course = _begin(situation, state, by)
    _take_first(course, by)
    course.add(Act.START, by)
    return course.outcome()


def wait(situation: Situation, state: TicketState, by: str, reason: WaitFor, until: datetime, note: str) -> Outcome:
    """Pause for a listed reason, with an end; only the clocks of closing and investigating are held."""
    course = _begin(situation, state, by)
    _take_first(course, by)
    course.add(Act.WAIT, by, wait=reason, due_at=until, note=note)
    return course.outcome()


def go_on(situation: Situation, state: TicketState, by: str) -> Outcome:
    """End a wait before its end."""
    course = _begin(situation, state, by)
    if state.wait is None:
        raise DomainError("ticket.not_waiting", "the ticket does not wait for anything")
    resume(course)
    return course.outcome()


def answered(situation: Situation, state: TicketState, by: str, note: str = "") -> Outcome:
    """The caller has their answer (R18, R20)."""
    return _mark(situation, state, by, Act.ANSWERED, note)


def contacted(situation: Situation, state: TicketState, by: str, note: str = "") -> Outcome:
    """The department has taken charge and spoken to the caller (R19)."""
    return _mark(situation, state, by, Act.CONTACTED, note)


def called_back(
    situation: Situation, state: TicketState, by: str, note: str = "", *, number: str | None = None,
    other_due: datetime | None = None,
) -> Outcome:  # fmt: skip
    """The promised call-back was made (R22): to `number`, or whatever was promised where none is named. What was
    promised to somebody else who called about the matter, on another number, is still due at `other_due`. Whoever
    keeps the promise may say so: the list of call-backs is every operator's (R5)."""
    course = Course(situation, state)
    course.add(Act.CALLED_BACK, by, note=note, number=number)
    if other_due is not None:
        sentence = ("另一来电号码的回电仍应按时进行。", "The call-back to another number is still due.")
        course.add(Act.PROMISE, due_at=other_due, why=sentence)
    return course.outcome()


def reported(situation: Situation, state: TicketState, by: str, note: str = "") -> Outcome:
    """The written report on a major matter is in (R15)."""
    course = Course(situation, state)
    if by != state.report_by and not concerned(situation, state, by):
        raise DomainError("r14.not_concerned", "the report is not this person's", mend="the duty leader writes it")
    course.add(Act.REPORTED, by, note=note)
    return course.outcome()


def _mark(situation: Situation, state: TicketState, by: str, act: Act, note: str) -> Outcome:
    course = _begin(situation, state, by)
    course.add(act, by, note=note)
    return course.outcome()


def note(situation: Situation, state: TicketState, by: str, text: str, text_en: str = "") -> Outcome:
    """A remark in the history. Anybody who works here may leave one; the house itself in both languages."""
    course = Course(situation, state)
    if not text.strip():
        raise DomainError("ticket.empty_note", "a note needs words")
    course.add(Act.NOTE, by, note=text, note_en=text_en)
    return course.outcome()


def promise_call_back(situation: Situation, state: TicketState, by: str, at: datetime, note: str = "") -> Outcome:
    """Promise the resident a call-back at a time, a new time instead of one promised before (R22).

    A person's promise lies ahead, and is for a number that is known: else DomainError `r22.no_time`, `r22.no_number`.
    What the house itself has promised on the line is kept however late it is heard of.
    """
    if by == RULE:
        course = Course(situation, state)
    else:
        course = _begin(situation, state, by)
        if at <= situation.at:
            raise DomainError("r22.no_time", "a promised call-back has a time that lies ahead", mend="say when")
        if state.number is None:
            raise DomainError("r22.no_number", "no number is known to call back", mend="put it into the record first")
    course.add(Act.PROMISE, by, due_at=at, note=note)
    course.effect(
        EffectKind.CALL_BACK, course.state.responsible, "R22", ("请按时回电。", "Call back in time."), due_at=at
    )
    return course.outcome()


def pass_outside(situation: Situation, state: TicketState, by: str, body: str, note: str = "") -> Outcome:
    """Pass the matter on to an outside body; it stays ours to follow (R5)."""
    course = _begin(situation, state, by)
    outside = situation.organisation.outside_body(body)
    course.add(
        Act.PASSED_OUTSIDE, by, to=outside.id, note=note,
        why=(f"已转报{outside.zh}，由我们继续跟进。{note}", f"Passed on to {outside.en}; we follow it. {note}".strip()),
    )  # fmt: skip
    return course.outcome()


def follow_up_person(situation: Situation, state: TicketState) -> str:
    """Who makes the follow-up call: the first responder, or the operator on duty while they are away (R14, R23)."""
    first = state.first_responder
    return first if situation.available(first) else situation.operator_or_last_resort


def done(situation: Situation, state: TicketState, by: str, what: str) -> Outcome:
    """The work is done; the follow-up call is due the same day (R23). What was done belongs in the record (R6)."""
    course = _begin(situation, state, by)
    if not what.strip():
        raise DomainError("r6.done_missing", "the record needs what was done", mend="say what was done")
    _take_first(course, by)
    resume(course)
    course.add(Act.DONE, by, note=what)
    if course.state.matter.empty:
        course.add(Act.ARCHIVE)
        return course.outcome()
    due, person = situation.rules.calendar.end_of_day(situation.at), follow_up_person(situation, state)
    course.add(Act.FOLLOW_UP, to=person, due_at=due, deadlines=(Deadline(Clock.FOLLOW_UP, situation.at, due),))
    sentence = ("事项已办结，请当日回访。", "The matter is done: the follow-up call is due today.")
    course.effect(EffectKind.FOLLOW_UP, person, "R23", sentence, due_at=due)
    return course.outcome()


def satisfied(
    situation: Situation, state: TicketState, by: str = CALLER, note: str = "", note_en: str = ""
) -> Outcome:
    """The caller is satisfied: archived (R23)."""
    course = Course(situation, state)
    course.add(Act.SATISFIED, by, note=note, note_en=note_en)
    return course.outcome()


def not_reached(situation: Situation, state: TicketState, by: str) -> Outcome:
    """Nobody answered the follow-up call; it is tried again."""
    course = Course(situation, state)
    course.add(Act.NOT_REACHED, by)
    timer = state.timer(Clock.FOLLOW_UP)
    course.effect(
        EffectKind.FOLLOW_UP, state.follow_up_by or follow_up_person(situation, state), "R23",
        ("回访未接通，请再次回访。", "The caller was not reached: try again."), due_at=timer.due_at if timer else None,
    )  # fmt: skip
    return course.outcome()


def unsatisfied(
    situation: Situation, state: TicketState, by: str = CALLER, note: str = "", note_en: str = ""
) -> Outcome:
    """没解决: the matter goes back to its first responder (R23)."""
    course = Course(situation, state)
    open_again(course, by, Act.UNSATISFIED, note, note_en)
    return course.outcome()


def reopen(situation: Situation, state: TicketState, by: str, note: str) -> Outcome:
    """Open an archived or finished matter again, with a reason; its clocks begin anew (R18, R21, R23)."""
    if not note.strip():
        raise DomainError("ticket.reason_missing", "reopening needs its reason", mend="say why")
    course = Course(situation, state)
    open_again(course, by, Act.REOPEN, note)
    return course.outcome()


def join(situation: Situation, state: TicketState, by: str, into: TicketState) -> Outcome:
    """This ticket turns out to be about the same matter as `into`: its number becomes another name of that (R17)."""
    course = _begin(situation, state, by)
    if into.site != state.site:
        raise DomainError("r17.other_site", "a matter joins one of its own site", mend="look at the number again")
    if not into.status.open:
        raise DomainError("r17.not_open", "a matter can only join an open one")
    course.add(Act.JOIN, by, ticket=into.ticket)
    if state.asked is not None:
        course.effect(EffectKind.RELEASE, state.asked, "R13", ("无需再接受。", "You need not take it any more."))
    return course.outcome()


def absorb(situation: Situation, state: TicketState, joined: TicketState) -> Outcome:
    """What `join` means for `state`: one more call, its numbers, its urgency if higher, and the call-back that is still
    due to whoever said something (R17, R22). The report on it that is still due is due on this (R15). `joined` is the
    other matter before it joins."""
    due = None if joined.matter.empty else joined.timer(Clock.CALL_BACK)
    said = replace(joined.matter, call_back_at=due.due_at if due is not None else None)
    again = called_again(situation, state, joined.call, said, done=joined.done_at is not None)
    course = Course.after(situation, again)
    keep_report(course, joined)
    return course.outcome()
