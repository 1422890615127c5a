"""`apply`: one event on one ticket, checked against the table and the rule; events folded give the ticket."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import reduce

from callcenter.domain.deadlines import Clock, Deadline
from callcenter.domain.tickets import (
    RULE,
    TRANSITIONS,
    Act,
    Refusal,
    Status,
    TicketEvent,
    TicketState,
    Timer,
    Wait,
)
from callcenter.errors import DomainError


def _opened(event: TicketEvent) -> TicketState:
    opening = event.opening
    if opening is None:
        raise DomainError("ticket.no_opening", "an `open` event needs its opening")
    return TicketState(
        ticket=opening.ticket,
        site=opening.site,
        status=Status.RECORDED,
        version=1,
        call=opening.call,
        matter=opening.matter,
        record=opening.record,
        opened_at=event.at,
        first_responder=opening.first_responder,
        responsible=opening.responsible,
        by_duty=opening.by_duty,
        major=opening.major,
        confirmed=not opening.matter.to_confirm,
        timers=_timers(event.deadlines),
        numbers=(opening.call.number,) if opening.call.number else (),
        report_by=opening.report_by,
        outside_body=opening.matter.outside_body,
    )


def _timers(deadlines: Iterable[Deadline]) -> tuple[Timer, ...]:
    return tuple(Timer(d.clock, d.starts_at, d.due_at) for d in deadlines)


def _met(state: TicketState, at: datetime, *clocks: Clock) -> TicketState:
    """Stop these clocks, whether in time or late."""
    timers = tuple(replace(t, met_at=at) if t.running and t.clock in clocks else t for t in state.timers)
    return replace(state, timers=timers)


def _with_deadlines(state: TicketState, deadlines: Iterable[Deadline]) -> TicketState:
    for timer in _timers(deadlines):
        state = state.with_timer(timer)
    return state


def _needed(value: str | None, event: TicketEvent, what: str) -> str:
    if not value:
        raise DomainError("ticket.incomplete", f"`{event.act}` needs {what}")
    return value


def _not_asked(state: TicketState) -> TicketState:
    return replace(state, asked=None, asked_at=None, accept_by=None, asked_before=())


def _assign(state: TicketState, event: TicketEvent) -> TicketState:
    to = _needed(event.to, event, "a person")
    return replace(_not_asked(state), responsible=to, by_duty=state.by_duty and to == state.responsible)


def _hand_over(state: TicketState, event: TicketEvent) -> TicketState:
    """Whoever gives on what they accepted, or are asked to take, refuses it (R16). Handed on by people within its
    department the chain goes on: it does not come round to who was asked in vain, however often (R13). The rule begins
    it anew: the department or the urgency is another."""
    matter = event.matter or state.matter
    bounced = event.actor in (state.accepted_by, state.asked) and event.actor != state.first_responder
    refusals = (*state.refusals, Refusal(event.actor, event.at, event.note.strip())) if bounced else state.refusals
    if bounced and not event.note.strip():
        raise DomainError("r16.reason_missing", "giving on a matter needs its reason", mend="say why")
    goes_on = event.actor != RULE and matter.department == state.matter.department
    in_vain = _asked_before(state).asked_before if goes_on else ()
    given = replace(
        _not_asked(state), matter=matter, refusals=refusals, accepted_by=None, settled=False, asked_before=in_vain
    )
    return _with_deadlines(given, event.deadlines)


def _ask(state: TicketState, event: TicketEvent) -> TicketState:
    if state.asked is not None:
        raise DomainError("r13.already_asked", "somebody is asked already", mend="pass them over first")
    if event.due_at is None:
        raise DomainError("ticket.incomplete", "`ask` needs its limit")
    return replace(state, asked=_needed(event.to, event, "a person"), asked_at=event.at, accept_by=event.due_at)


def _asked_before(state: TicketState) -> TicketState:
    before = (*state.asked_before, state.asked) if state.asked else state.asked_before
    return replace(state, asked=None, asked_at=None, accept_by=None, asked_before=before)


def _accept(state: TicketState, event: TicketEvent) -> TicketState:
    return replace(_not_asked(state), responsible=event.actor, accepted_by=event.actor, by_duty=False)


def _refuse(state: TicketState, event: TicketEvent) -> TicketState:
    if not event.note.strip():
        raise DomainError("r16.reason_missing", "a refusal needs its reason", mend="say why you cannot take it")
    if event.actor != state.asked:
        raise DomainError("r13.not_asked", "only the person who is asked can refuse")
    refusal = Refusal(event.actor, event.at, event.note.strip())
    return replace(_asked_before(state), refusals=(*state.refusals, refusal))


def _settle(state: TicketState, event: TicketEvent) -> TicketState:
    """As good as accepted: giving on what the office has settled is a refusal (R16)."""
    settled = replace(
        _assign(state, event), by_duty=False, settled=True, disputed=False, matter=event.matter or state.matter,
        accepted_by=event.to,
    )  # fmt: skip
    return _with_deadlines(settled, event.deadlines)


def _shift(state: TicketState, event: TicketEvent) -> TicketState:
    return replace(state, responsible=_needed(event.to, event, "a person"), by_duty=True)


def _relieve(state: TicketState, event: TicketEvent) -> TicketState:
    """Work that was under way is nobody's by acceptance any more: whoever has it now has been given it."""
    accepted_by = None if state.status in (Status.ACCEPTED, Status.IN_PROGRESS) else state.accepted_by
    to = _needed(event.to, event, "a person")
    return replace(state, responsible=to, by_duty=False, accepted_by=accepted_by)


def _by_duty(state: TicketState, event: TicketEvent) -> bool:
    """Whoever begins the work, or has it wait, keeps what is theirs over the end of their shift; a colleague who does
    so leaves it with the operators (R14, R27)."""
    return state.by_duty and event.actor != state.responsible


def _start(state: TicketState, event: TicketEvent) -> TicketState:
    return replace(state, by_duty=_by_duty(state, event))


def _wait(state: TicketState, event: TicketEvent) -> TicketState:
    if event.wait is None:
        raise DomainError("ticket.wait_reason", "a wait is for the resident, material or an outside body")
    if event.due_at is None or event.due_at <= event.at:
        raise DomainError("ticket.wait_end", "a wait needs an end that lies ahead", mend="say until when")
    return replace(state, wait=Wait(event.wait, event.at, event.due_at), by_duty=_by_duty(state, event))


def _resume(state: TicketState, event: TicketEvent) -> TicketState:
    return _with_deadlines(replace(state, wait=None), event.deadlines)


def _done(state: TicketState, event: TicketEvent) -> TicketState:
    record = replace(state.record, done=event.note.strip() or state.record.done)
    finished = replace(state, done_at=event.at, by_duty=False, record=record)
    return _met(finished, event.at, Clock.ANSWER, Clock.CONTACT, Clock.INVESTIGATION, Clock.CONFIRM)


def _follow_up(state: TicketState, event: TicketEvent) -> TicketState:
    return _with_deadlines(replace(state, follow_up_by=event.to or state.follow_up_by), event.deadlines)


def _report_by(state: TicketState, event: TicketEvent) -> TicketState:
    return replace(state, report_by=_needed(event.to, event, "a person"))


def _not_major(state: TicketState, _event: TicketEvent) -> TicketState:
    timers = tuple(t for t in state.timers if not (t.clock is Clock.REPORT and t.running))
    return replace(state, major=False, report_by=None, timers=timers)


def _archived(state: TicketState, event: TicketEvent) -> TicketState:
    """All clocks stop but that of the written report, which stays due (R15)."""
    clocks = (c for c in Clock if c is not Clock.REPORT)
    return replace(_met(state, event.at, *clocks), closed_at=event.at)


def _reopened(state: TicketState, event: TicketEvent) -> TicketState:
    again = replace(
        _not_asked(state),
        responsible=_needed(event.to, event, "a person"),
        by_duty=False,
        done_at=None,
        closed_at=None,
        accepted_by=None,
        disputed=False,
        settled=False,
        reopened=state.reopened + 1,
    )
    return _with_deadlines(_met(again, event.at, Clock.FOLLOW_UP), event.deadlines)


def _joined(state: TicketState, event: TicketEvent) -> TicketState:
    other = _needed(event.ticket, event, "the matter it joins")
    if other == state.ticket:
        raise DomainError("r17.joins_itself", "a matter cannot join itself")
    return replace(_met(_not_asked(state), event.at, *Clock), joined_to=other, wait=None, closed_at=event.at)


def _amend(state: TicketState, event: TicketEvent) -> TicketState:
    matter = event.matter or state.matter
    amended = replace(state, matter=matter, record=event.record or state.record, confirmed=not matter.to_confirm)
    return _with_deadlines(amended, event.deadlines)


def _confirm(state: TicketState, event: TicketEvent) -> TicketState:
    matter = replace(event.matter or state.matter, to_confirm=False)
    return _met(replace(_amend(state, event), matter=matter, confirmed=True), event.at, Clock.CONFIRM)


def _raise(state: TicketState, event: TicketEvent) -> TicketState:
    """More urgent; major (R15) where it names who writes the report."""
    matter = event.matter or state.matter
    raised = replace(
        state, matter=matter, major=event.to is not None or state.major, confirmed=not matter.to_confirm
    )
    return _with_deadlines(replace(raised, report_by=event.to or state.report_by), event.deadlines)


def _called_again(state: TicketState, event: TicketEvent) -> TicketState:
    numbers = state.numbers if not event.number or event.number in state.numbers else (*state.numbers, event.number)
    return replace(state, calls=state.calls + 1, numbers=numbers)


def _promise(state: TicketState, event: TicketEvent) -> TicketState:
    if event.due_at is None:
        raise DomainError("r22.no_time", "a promised call-back has a time", mend="say when")
    return state.with_timer(Timer(Clock.CALL_BACK, event.at, event.due_at))


def _warn(state: TicketState, event: TicketEvent) -> TicketState:
    timer = state.timer(event.clock) if event.clock else None
    return state.with_timer(replace(timer, warned=True)) if timer else state


def _overdue(state: TicketState, event: TicketEvent) -> TicketState:
    timer = state.timer(event.clock) if event.clock else None
    told = _needed(event.to, event, "who is told")
    return state.with_timer(replace(timer, warned=True, told=(*timer.told, told))) if timer else state


def _passed_outside(state: TicketState, event: TicketEvent) -> TicketState:
    return replace(state, outside_body=_needed(event.to, event, "the outside body"))


def _meets(*clocks: Clock) -> Callable[[TicketState, TicketEvent], TicketState]:
    return lambda state, event: _met(state, event.at, *clocks)


_EFFECT: dict[Act, Callable[[TicketState, TicketEvent], TicketState]] = {
    Act.CONFIRM: _confirm,
    Act.ASSIGN: _assign,
    Act.HAND_OVER: _hand_over,
    Act.ASK: _ask,
    Act.PASS_OVER: lambda state, _: _asked_before(state),
    Act.ACCEPT: _accept,
    Act.REFUSE: _refuse,
    Act.DISPUTE: lambda state, _: replace(state, disputed=True),
    Act.SETTLE: _settle,
    Act.SHIFT: _shift,
    Act.RELIEVE: _relieve,
    Act.START: _start,
    Act.WAIT: _wait,
    Act.RESUME: _resume,
    Act.DONE: _done,
    Act.FOLLOW_UP: _follow_up,
    Act.SATISFIED: _archived,
    Act.ARCHIVE: _archived,
    Act.UNSATISFIED: _reopened,
    Act.REOPEN: _reopened,
    Act.NOT_REACHED: lambda state, _: replace(state, follow_ups_missed=state.follow_ups_missed + 1),
    Act.JOIN: _joined,
    Act.AMEND: _amend,
    Act.RAISE: _raise,
    Act.CALLED_AGAIN: _called_again,
    Act.PROMISE: _promise,
    Act.ANSWERED: _meets(Clock.ANSWER, Clock.INVESTIGATION),
    Act.CONTACTED: _meets(Clock.CONTACT),
    Act.CALLED_BACK: _meets(Clock.CALL_BACK),
    Act.REPORTED: _meets(Clock.REPORT),
    Act.REPORT_BY: _report_by,
    Act.NOT_MAJOR: _not_major,
    Act.PASSED_OUTSIDE: _passed_outside,
    Act.WARN: _warn,
    Act.OVERDUE: _overdue,
}


def apply(state: TicketState | None, event: TicketEvent) -> TicketState:
    """The ticket after `event`.

    Raises DomainError `ticket.not_allowed` for what the table does not allow in this state, and the rule's own codes
    (`r16.reason_missing`, `r22.no_time`, …). An event names its actor, its rule and its sentences.
    """
    if not (event.actor and event.rule and event.zh and event.en):
        raise DomainError("ticket.incomplete", "an event names who, by which rule and why")
    if event.act is Act.OPEN:
        if state is not None:
            raise DomainError("ticket.opened_twice", "the ticket exists already")
        return _opened(event)
    if state is None:
        raise DomainError("ticket.unknown", "nothing can happen to a ticket before it is opened")
    after = TRANSITIONS[event.act].get(state.status)
    if after is None:
        raise DomainError(
            "ticket.not_allowed", f"`{event.act}` is not possible while the ticket is `{state.status}`",
            mend="look at the ticket again: somebody may have been quicker",
        )  # fmt: skip
    change = _EFFECT.get(event.act)
    changed = change(state, event) if change is not None else state
    return replace(changed, status=after, version=state.version + 1)


def replay(events: Iterable[TicketEvent]) -> TicketState:
    """The ticket that these events made, the first of which is OPEN."""
    state = reduce(apply, events, None)
    if state is None:
        raise DomainError("ticket.unknown", "a ticket begins with its `open` event")
    return state
