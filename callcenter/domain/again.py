"""What was not the end of it: the caller calls again (R17), or is not satisfied (R23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from callcenter.domain import explain
from callcenter.domain.deadlines import Clock, Deadline
from callcenter.domain.effects import Course, Outcome
from callcenter.domain.handover import (
    ask_to_confirm,
    becomes_major,
    limit_of_confirming,
    limits_of_what_was_unknown,
    route,
)
from callcenter.domain.matters import WATCHED_SOURCES, Call, Matter
from callcenter.domain.rules import EMERGENCY, more_urgent
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import CALLER, UNTAKEN, Act, TicketState


def called_again(
    situation: Situation, state: TicketState, call: Call, matter: Matter, *, done: bool = False
) -> Outcome:
    """The caller calls again about this matter (R17): same first responder, nothing starts again. A call that is more
    urgent raises it, and while nobody has taken it the chain begins anew with the shorter limit. The press or an
    authority makes it major, however urgent it is (R15); somebody listens to what raises it and is not sure (R8). A
    call-back that was promised in the call is kept, and who said nothing again is called back again (R5, R22). Who
    wants work done on what was thought done is not satisfied: it is open again (R23), unless what they wanted is
    `done` itself."""
    course = Course(situation, state)
    course.add(Act.CALLED_AGAIN, CALLER, number=call.number)
    _keep_promise(course, matter.call_back_at or _silence_again(course, call, matter))
    undone = not done and matter.says_undone(state.status.value)
    if undone:
        open_again(course, CALLER, Act.UNSATISFIED, "")
    rises = more_urgent(matter.urgency, state.urgency)
    told = dict.fromkeys((state.first_responder, state.responsible))
    course.tell(told, "R17", explain.TELL_REPEAT, ring=rises and matter.urgency == EMERGENCY)
    raised = replace(
        state.matter,
        urgency=matter.urgency if rises else state.matter.urgency,
        source=matter.source if matter.source in WATCHED_SOURCES else state.matter.source,
        households=max(matter.households, state.matter.households),
    )
    doubt: tuple[Deadline, ...] = ()
    if matter.to_confirm and raised != state.matter:
        raised = replace(raised, to_confirm=True)
        doubt = limit_of_confirming(course, raised)
    if rises:
        course.add(Act.RAISE, matter=raised, deadlines=(*limits_of_what_was_unknown(course, raised), *doubt))
    elif raised != state.matter:
        course.add(Act.AMEND, matter=raised, deadlines=doubt)
    becomes_major(course)
    if doubt:
        ask_to_confirm(course, waits=False)
    untaken = state.status in UNTAKEN and state.accepted_by is None
    if rises and (untaken or (undone and matter.urgency == EMERGENCY)):
        route(course)
    return course.outcome()


def _silence_again(course: Course, call: Call, matter: Matter) -> datetime | None:
    """By when who has said nothing in any call is called back; None for others, and where it is due already."""
    waits = course.state.timer(Clock.CALL_BACK) is not None
    if waits or not (matter.empty and course.state.matter.empty and call.number):
        return None
    return course.at + timedelta(minutes=course.situation.rules.call_back_within_min)


def _keep_promise(course: Course, by: datetime | None) -> None:
    """The call-back is due at `by`, unless an earlier one is (R22)."""
    earlier = course.state.timer(Clock.CALL_BACK)
    if by is not None and (earlier is None or by < earlier.due_at):
        course.add(Act.PROMISE, due_at=by)


def open_again(course: Course, by: str, act: Act, note: str, note_en: str = "") -> None:
    """Back to its first responder, and with new limits (R18, R21, R23); an emergency goes to its department at once."""
    state, situation = course.state, course.situation
    first = state.first_responder
    to = first if situation.answers_for(first) else situation.operator_or_last_resort
    rules, at = situation.rules, situation.at
    deadlines = [Deadline(Clock.ANSWER, at, at + timedelta(hours=rules.answer_within_h))]
    if state.timer(Clock.CLOSE) is None:
        deadlines.append(Deadline(Clock.CLOSE, at, at + timedelta(days=rules.close_within_days)))
    course.add(act, by, to=to, note=note, note_en=note_en, deadlines=tuple(deadlines))
    manager = situation.organisation.once_department(state.matter.department).manager
    handled_by = (state.accepted_by,) if state.accepted_by else ()
    sentence = ("来电人不满意，事项重新办理。", "The caller is not satisfied: the matter is open again.")
    course.tell(dict.fromkeys((to, *handled_by, manager)), "R23", sentence, ring=state.urgency == EMERGENCY)
    if state.urgency == EMERGENCY:
        route(course)
