"""Responsibility over time (R12–R17): opening, accepting, refusing, disputes, correcting.

Each function takes a `Situation` (who is there now), the ticket, and who acts; it returns an `Outcome`, or raises
DomainError when the rule forbids it. Nothing here sends anything: `Outcome.effects` says what is to be sent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from callcenter.domain import explain
from callcenter.domain.deadlines import Clock, Deadline, opening_deadlines
from callcenter.domain.effects import Course, EffectKind, Outcome
from callcenter.domain.matters import Call, Matter
from callcenter.domain.responsibility import Decision, area_manager_of, chain
from callcenter.domain.roster import OPERATOR
from callcenter.domain.rules import EMERGENCY, more_urgent
from callcenter.domain.situation import Situation
from callcenter.domain.ticket_life import apply
from callcenter.domain.tickets import RULE, UNTAKEN, Act, CallRecord, Opening, Status, TicketEvent, TicketState
from callcenter.errors import DomainError


def concerned(situation: Situation, state: TicketState, staff: str) -> bool:
    """Whether the person may act on the matter: responsible, first responder, asked, of the department in charge or
    above it, the duty leader, the office, or a person that everything ends with."""
    organisation = situation.organisation
    if not situation.active(staff):
        return False
    department = organisation.once_department(state.matter.department)
    own = {
        state.responsible, state.first_responder, state.asked, *state.asked_before, *department.deputies,
        department.manager, *organisation.above(department.manager), situation.leader, organisation.office,
        organisation.last_resort, organisation.general_manager,
    }  # fmt: skip
    return (
        staff in own
        or organisation.person(staff).department == department.id
        or staff in situation.all_on_duty(department.id)
    )


def _must_be_concerned(course: Course, staff: str) -> None:
    if not concerned(course.situation, course.state, staff):
        raise DomainError(
            "r14.not_concerned", "the matter is not this person's",
            mend="it is for whoever is responsible, the department in charge, and those above",
        )  # fmt: skip


def ask_next(course: Course) -> None:
    """Ask the next of the chain; when nobody is left, the last resort is responsible without being asked (R13, R14)."""
    state, situation = course.state, course.situation
    without = {state.first_responder, state.responsible, *state.asked_before}
    steps, _ = chain(
        state.matter.department, situation.organisation, situation.roster, situation.rules, situation.at,
        urgency=state.urgency, without=without,
    )  # fmt: skip
    if steps:
        ask(course, steps[0].staff)
        return
    backstop = situation.backstop
    course.add(
        Act.ASSIGN, rule="R14", to=backstop,
        why=("逐级无人接受，由兜底责任人负责。", "Nobody of the chain has accepted: the last resort is responsible."),
    )  # fmt: skip
    course.tell(
        dict.fromkeys((backstop, situation.organisation.general_manager)), "R14",
        ("逐级无人接受，事项由兜底责任人负责。", "Nobody of the chain has accepted: the last resort has the matter."),
        ring=state.urgency == EMERGENCY,
    )  # fmt: skip


def ask(course: Course, staff: str) -> None:
    """Ask one person, with the acceptance limit of the matter's urgency (R13)."""
    due = course.situation.rules.accept_by(course.state.urgency, course.at)
    course.add(Act.ASK, to=staff, due_at=due)
    course.effect(
        EffectKind.ASK, staff, "R13", ("请接受移交的事项。", "You are asked to take a matter."),
        ring=course.state.urgency == EMERGENCY, due_at=due,
    )  # fmt: skip


def _release(course: Course, but: str = "") -> None:
    asked = course.state.asked
    if asked is not None and asked != but:
        course.effect(EffectKind.RELEASE, asked, "R13", ("无需再接受。", "You need not take it any more."))


def route(course: Course) -> None:
    """Give the matter to its department: assigned where it is the responsible person's own, else handed over.

    What is to be confirmed waits for that, unless it is an emergency; what the office settled stays settled.
    """
    state, situation = course.state, course.situation
    if (state.status is Status.TO_CONFIRM and state.urgency != EMERGENCY) or state.settled:
        return
    own = situation.organisation.once_here(state.responsible).department == state.matter.department
    _release(course)
    if own and state.urgency != EMERGENCY:
        course.add(Act.ASSIGN, to=state.responsible)
        return
    course.add(Act.HAND_OVER, deadlines=_limit_of_contact(course, state.matter.department))
    ask_next(course)


def open_ticket(
    situation: Situation,
    ticket: str,
    call: Call,
    matter: Matter,
    decision: Decision,
    record: CallRecord,
    taken_by: str | None = None,
) -> Outcome:
    """Open the ticket that `decision` decided on. One that joins an open matter ends as JOINED; then
    `again.called_again` is due on that matter (R17)."""
    by_duty = taken_by is None or situation.roster.shift_of(taken_by, situation.at, OPERATOR) is not None
    opening = Opening(
        ticket=ticket,
        site=call.site,
        call=call,
        matter=matter,
        record=replace(record, received_by=record.received_by or decision.first_responder),
        first_responder=decision.first_responder,
        responsible=decision.responsible,
        by_duty=by_duty,
        major=decision.major,
        report_by=situation.leader_or_last_resort if decision.major else None,
    )
    first = decision.reasons[0]
    opened = TicketEvent(
        Act.OPEN, situation.at, RULE, first.rule, first.zh, first.en,
        deadlines=() if decision.joins else decision.deadlines, opening=opening,
    )  # fmt: skip
    course = Course(situation, apply(None, opened), [opened])
    if decision.joins is not None:
        course.add(Act.JOIN, ticket=decision.joins)
        return course.outcome()
    _tell_all(course, decision)
    if matter.empty:
        _open_empty(course)
        return course.outcome()
    if matter.to_confirm:
        ask_to_confirm(course)
    if course.state.status is Status.RECORDED:
        if decision.handed_to:
            course.add(Act.HAND_OVER)
            ask_next(course)
        else:
            course.add(Act.ASSIGN, to=decision.responsible)
    return course.outcome()


def _tell_all(course: Course, decision: Decision) -> None:
    emergency = course.state.urgency == EMERGENCY
    for one in decision.tell:
        ring = emergency and one.rule in ("R15", "R11")
        course.effect(EffectKind.TELL, one.staff, one.rule, (one.zh, one.en), ring=ring)
    _ask_for_report(course)


def _ask_for_report(course: Course) -> None:
    timer, by = course.state.timer(Clock.REPORT), course.state.report_by
    if timer is not None and by is not None:
        course.effect(
            EffectKind.REPORT, by, "R15", ("请于次日提交书面报告。", "A written report is due the next day."),
            due_at=timer.due_at,
        )  # fmt: skip


def _open_empty(course: Course) -> None:
    """Silence or hung up early: rung back where the number is known (R5, R22)."""
    timer = course.state.timer(Clock.CALL_BACK)
    if timer is None:
        course.add(Act.ARCHIVE)
        return
    course.add(Act.ASSIGN, rule="R22", to=course.state.responsible)
    course.effect(
        EffectKind.CALL_BACK, course.state.responsible, "R22",
        ("来电人未说明事项，请回电。", "The caller said nothing: call back."), due_at=timer.due_at,
    )  # fmt: skip


def ask_to_confirm(course: Course, *, waits: bool = True) -> None:
    """Somebody listens. What `waits` for it goes nowhere before, unless it is an emergency."""
    timer = course.state.timer(Clock.CONFIRM)
    if waits and course.state.urgency != EMERGENCY:
        course.add(Act.CONFIRM_NEEDED)
    course.effect(
        EffectKind.CONFIRM, course.situation.operator_or_last_resort, "R8",
        ("请回听并核实。", "Listen and confirm what was understood."),
        due_at=timer.due_at if timer else None,
    )  # fmt: skip


def accept(situation: Situation, state: TicketState, by: str) -> Outcome:
    """Somebody of the chain takes the matter and is responsible from now on (R14). The second to try is told so."""
    course = Course(situation, state)
    _must_be_concerned(course, by)
    if state.status is not Status.HANDED_OVER and state.accepted_by is not None:
        raise DomainError("r14.already_taken", "somebody has taken it already", mend="nothing is left to do here")
    take(course, by)
    return course.outcome()


def take(course: Course, by: str) -> None:
    """`by` accepts; who was asked need not any more, and the first responder hears of it (R14)."""
    _release(course, by)
    course.add(Act.ACCEPT, by)
    first = course.state.first_responder
    course.tell((p for p in (first,) if p != by), "R14", ("移交已被接受。", "The hand-over was accepted."))


def refuse(situation: Situation, state: TicketState, by: str, note: str, note_en: str = "") -> Outcome:
    """Who was asked does not take it: a reason is needed, it is counted, the next is asked, those above see it (R16).

    After `Rules.refusals_escalate` refusals the office has to settle it; meanwhile the chain goes on. `note_en` is the
    reason's English where it is not in a person's own words.
    """
    course = Course(situation, state)
    if by in (situation.organisation.last_resort, situation.organisation.general_manager):
        raise DomainError("r14.last_resort", "the last resort and the general manager cannot refuse")
    course.add(Act.REFUSE, by, note=note, note_en=note_en)
    _tell_of_refusal(course, by, state.matter.department)
    _escalate_refusals(course)
    ask_next(course)
    return course.outcome()


def _tell_of_refusal(course: Course, by: str, department: str) -> None:
    organisation = course.situation.organisation
    manager = organisation.once_department(department).manager
    told = organisation.general_manager if by == manager else manager
    course.tell((told,), "R16", ("本部门有人拒绝接受移交。", "Somebody of your department refused a hand-over."))


def _escalate_refusals(course: Course) -> None:
    state = course.state
    if len(state.refusals) >= course.situation.rules.refusals_escalate and not state.disputed:
        times = len(state.refusals)
        _dispute(course, RULE, f"已有{times}次拒绝。", f"It was refused {times} times.")


def _dispute(course: Course, by: str, note: str, note_en: str = "") -> None:
    course.add(Act.DISPUTE, by, note=note, note_en=note_en)
    organisation, urgent = course.situation.organisation, course.state.urgency == EMERGENCY
    sentence = ("责任有争议，请裁定。", "Who is in charge is disputed: please settle it.")
    course.tell(dict.fromkeys((organisation.office, organisation.general_manager)), "R16", sentence, ring=urgent)
    available = course.situation.available(organisation.office)
    settles = organisation.office if available else organisation.general_manager
    course.effect(EffectKind.SETTLE, settles, "R16", sentence)


def dispute(situation: Situation, state: TicketState, by: str, note: str) -> Outcome:
    """A department says that the matter is another's: the office decides, with a reason before it (R16)."""
    course = Course(situation, state)
    _must_be_concerned(course, by)
    if not note.strip():
        raise DomainError("r16.reason_missing", "a dispute needs its reason", mend="say whose it is, and why")
    _dispute(course, by, note)
    return course.outcome()


def settle(
    situation: Situation, state: TicketState, by: str, to: str, note: str, department: str | None = None
) -> Outcome:
    """The office names who is responsible, and with them whose department's it is: that holds without being accepted
    (R16)."""
    organisation = situation.organisation
    if by not in (organisation.office, organisation.general_manager):
        raise DomainError("r16.not_the_office", "disputes are settled by the office", mend="ask the office")
    if not situation.answers_for(to):
        raise DomainError("r14.not_available", "this person is away or has left", mend="name somebody who is there")
    course = Course(situation, state)
    resume(course)
    theirs = organisation.department(department).id if department is not None else _department_of(course, to)
    matter = replace(course.state.matter, department=theirs)
    _release(course, to)
    course.add(Act.SETTLE, by, to=to, note=note, matter=matter, deadlines=_limit_of_contact(course, theirs))
    sentence = ("办公室已裁定责任人。", "The office has settled who is responsible.")
    course.tell(dict.fromkeys((to, state.first_responder)), "R16", sentence, ring=state.urgency == EMERGENCY)
    return course.outcome()


def _department_of(course: Course, staff: str) -> str:
    """The department whose a matter is once `staff` has it: their own, unless they stand above the one it has."""
    organisation, now = course.situation.organisation, course.state.matter.department
    own = organisation.person(staff).department
    if not organisation.has_department(own):
        return now
    if not organisation.has_department(now):
        return own
    department = organisation.department(now)
    over = {*department.deputies, department.manager, *organisation.above(department.manager)}
    return now if staff in over else own


def hand_over(
    situation: Situation,
    state: TicketState,
    by: str,
    *,
    note: str = "",
    department: str | None = None,
    to: str | None = None,
) -> Outcome:
    """Give the matter on: to `to` first if named, along the chain of `department` (default: the matter's own, where the
    chain goes on from where it is).

    Whoever is responsible stays so until it is taken (R14). Who accepted it before, or is asked to take it, needs a
    reason, and it counts as a refusal (R16). Whoever is asked gets no new limit by being named again (R13).
    """
    course = Course(situation, state)
    _must_be_concerned(course, by)
    resume(course)
    matter = course.state.matter
    if department is not None:
        matter = replace(matter, department=situation.organisation.department(department).id)
    if to is not None and not situation.answers_for(to):
        raise DomainError("r14.not_available", "this person is away or has left", mend="name somebody who is there")
    if to is not None and to == state.asked and by != to:
        raise DomainError("r13.already_asked", "this person is asked already", mend="name somebody else, or wait")
    _release(course, to or "")
    limit = _limit_of_contact(course, matter.department)
    course.add(Act.HAND_OVER, by, note=note, matter=matter, deadlines=limit)
    if course.state.refusals != state.refusals:
        _tell_of_refusal(course, by, state.matter.department)
        _escalate_refusals(course)
    if to is not None and to not in (state.asked, course.state.responsible):
        ask(course, to)
    else:
        ask_next(course)
    return course.outcome()


def relabel(
    situation: Situation, state: TicketState, by: str, matter: Matter, record: CallRecord | None = None
) -> Outcome:
    """Confirm (R8) or correct what the matter is. What follows from it follows at once: told if it is major now
    (R15), routed anew if nobody has taken it. Late words that are not sure are confirmed first, like others."""
    course = Course(situation, state)
    confirming = by != RULE and not matter.to_confirm and not state.confirmed
    rises = more_urgent(matter.urgency, state.urgency)
    doubt = limit_of_confirming(course, matter)
    limits = limits_of_what_was_unknown(course, matter) or _limit_of_investigation(course, matter)
    course.add(Act.CONFIRM if confirming else Act.AMEND, by, matter=matter, record=record, deadlines=(*limits, *doubt))
    becomes_major(course)
    if confirming:
        _no_longer_major(course, by)
    if doubt:
        ask_to_confirm(course, waits=state.matter.empty and state.status is Status.ASSIGNED)
    _tell_area_manager(course, state.matter)
    moved = matter.department != state.matter.department
    waiting_for_route = course.state.status is Status.RECORDED
    if waiting_for_route or (course.state.status in UNTAKEN and state.accepted_by is None and (moved or rises)):
        route(course)
    elif moved or rises:
        course.tell(
            (state.responsible,),
            "R6",
            ("登记内容已更正。", "The record was corrected."),
            ring=matter.urgency == EMERGENCY,
        )
    return course.outcome()


def _tell_area_manager(course: Course, before: Matter) -> None:
    """The manager of the area hears of a work order that is theirs only now: place or work was unknown before (R9)."""
    organisation, matter = course.situation.organisation, course.state.matter
    manager = area_manager_of(organisation, matter)
    if manager is not None and manager != area_manager_of(organisation, before):
        course.tell((manager,), "R9", explain.TELL_AREA_MANAGER)


def limits_of_what_was_unknown(course: Course, matter: Matter) -> tuple[Deadline, ...]:
    """Time limits from now on of a matter whose caller had said nothing, or was not understood until now (R18–R21)."""
    state, situation = course.state, course.situation
    if matter.empty or any(timer.clock is Clock.CLOSE for timer in state.timers):
        return ()
    own = situation.organisation.once_here(state.responsible).department == matter.department
    return opening_deadlines(
        situation.rules, course.at, handed_over=not own, needs_investigation=matter.needs_investigation, major=False
    )


def limit_of_confirming(course: Course, matter: Matter) -> tuple[Deadline, ...]:
    """By when somebody listens to what has turned out not to be sure (R8)."""
    if not matter.to_confirm or course.state.done_at is not None or course.state.timer(Clock.CONFIRM) is not None:
        return ()
    return _of_clock(course, Clock.CONFIRM, to_confirm=True)


def _limit_of_investigation(course: Course, matter: Matter) -> tuple[Deadline, ...]:
    """The answer after an investigation is due so many working days after it turned out to be needed (R20)."""
    if not matter.needs_investigation or course.state.matter.needs_investigation:
        return ()
    return _of_clock(course, Clock.INVESTIGATION, needs_investigation=True)


def _limit_of_contact(course: Course, department: str) -> tuple[Deadline, ...]:
    """By when a department that is named later on takes charge and speaks to the caller (R19). It is one limit for
    the matter: whom it is passed on to gets no new one (R16)."""
    state, organisation = course.state, course.situation.organisation
    own = organisation.once_here(state.responsible).department == department
    if own or state.matter.empty or any(timer.clock is Clock.CONTACT for timer in state.timers):
        return ()
    return _of_clock(course, Clock.CONTACT, handed_over=True)


def _of_clock(
    course: Course, clock: Clock, *, needs_investigation: bool = False, major: bool = False, to_confirm: bool = False,
    handed_over: bool = False,
) -> tuple[Deadline, ...]:  # fmt: skip
    """The limit of one clock, from now on."""
    due = opening_deadlines(
        course.situation.rules, course.at, handed_over=handed_over, needs_investigation=needs_investigation,
        major=major, to_confirm=to_confirm,
    )  # fmt: skip
    return tuple(d for d in due if d.clock is clock)


def becomes_major(course: Course) -> None:
    """Tell the duty leader and the general manager of what has just become major (R15)."""
    state, situation = course.state, course.situation
    if state.major or not state.matter.major(situation.rules.major_households):
        return
    report_by = _report_is_due(course)
    ring = state.urgency == EMERGENCY
    course.tell((report_by,), "R15", explain.TELL_LEADER, ring=ring)
    course.tell((situation.organisation.general_manager,), "R15", explain.TELL_GENERAL_MANAGER, ring=ring)


def _no_longer_major(course: Course, by: str) -> None:
    """A person has listened to what made it major and was not sure, and it was something else (R8, R15). Who had been
    told hears so; what a person had confirmed as major stays so."""
    state, situation = course.state, course.situation
    if not state.major or state.matter.major(situation.rules.major_households):
        return
    told = dict.fromkeys(p for p in (state.report_by, situation.organisation.general_manager) if p is not None)
    course.add(Act.NOT_MAJOR, by)
    sentence = ("经核实不属重大事项，无需书面报告。", "It is no major matter after all: no written report is due.")
    course.tell(told, "R15", sentence)


def _report_is_due(course: Course) -> str:
    """Who writes the report on what is major now: the duty leader, by the next day (R15)."""
    situation = course.situation
    report_by = situation.leader_or_last_resort
    course.add(
        Act.RAISE, rule="R15", to=report_by, deadlines=_of_clock(course, Clock.REPORT, major=True),
        why=(
            "属重大事项：报告带班领导和总经理，次日提交书面报告。",
            "A major matter: the duty leader and the general manager are told, a written report is due the next day.",
        ),
    )  # fmt: skip
    _ask_for_report(course)
    return report_by


def keep_report(course: Course, joined: TicketState) -> None:
    """The report that is due on what has joined this matter, which is not major by itself, is due on this (R15)."""
    due = joined.timer(Clock.REPORT)
    if due is None or course.state.major:
        return
    course.add(
        Act.RAISE, rule="R15", to=joined.report_by or course.situation.leader_or_last_resort,
        deadlines=(Deadline(Clock.REPORT, due.starts_at, due.due_at),),
        why=(
            "并入的事项属重大事项：书面报告仍应提交。",
            "What has joined it is a major matter: its written report is still due.",
        ),
    )  # fmt: skip
    _ask_for_report(course)


def many_households(situation: Situation, state: TicketState, households: int) -> Outcome:
    """The incident that the matter belongs to has become major: the report on it is due with this matter (R15, R32).

    Who is told at once is told of the incident.
    """
    course = Course(situation, state)
    course.add(
        Act.AMEND, rule="R32", matter=replace(state.matter, households=max(households, state.matter.households)),
        why=(f"同类事件已涉及{households}起来电。", f"{households} calls are about the same incident by now."),
    )  # fmt: skip
    if not state.major:
        _report_is_due(course)
    return course.outcome()


def resume(course: Course) -> None:
    """End a wait, if there is one; held clocks go on from where they stood."""
    state, rules = course.state, course.situation.rules
    if state.wait is None:
        return
    deadlines = []
    for timer in state.timers:
        if not (timer.running and state.paused(timer)):
            continue
        since = max(state.wait.since, timer.starts_at)
        if timer.clock is Clock.INVESTIGATION:
            left = rules.calendar.working_time(since, timer.due_at)
            due = max(timer.due_at, rules.calendar.add_working_time(course.at, left))
        else:
            due = timer.due_at + max(course.at - since, timedelta(0))
        deadlines.append(Deadline(timer.clock, timer.starts_at, due))
    course.add(Act.RESUME, deadlines=tuple(deadlines))
