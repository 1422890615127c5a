"""What time does to a ticket: acceptance limits, shift changes, absences, waits that end, warnings, the ladder.

`tick` is called by any number of desks, at any moment and as often as they like: it does what is due now, once, since
what it did is in the ticket. After hours of downtime it does each thing once, not as often as it was missed.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from callcenter.domain.deadlines import CLOCK_EN, CLOCK_ZH, Clock
from callcenter.domain.effects import Course, EffectKind, Outcome
from callcenter.domain.handover import ask_next, resume
from callcenter.domain.roster import OPERATOR
from callcenter.domain.rules import EMERGENCY
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import Act, Status, TicketState, Timer
from callcenter.domain.work import follow_up_person


def tick(situation: Situation, state: TicketState) -> Outcome:
    """Everything that is due of this ticket at `situation.at` (R13, R14, R24)."""
    course = Course(situation, state)
    if state.status.open:
        _keep_responsible(course)
        _keep_asking(course)
        if state.wait is not None and state.wait.until <= situation.at:
            resume(course)
            course.tell((course.state.responsible,), "R21", ("等待期已到，请继续处理。", "The wait is over: go on."))
    if state.status is not Status.JOINED:
        _keep_tasks(course)
        _clocks(course)
    return course.outcome()


def _keep_responsible(course: Course) -> None:
    """Exactly one person who is really there answers for the matter (R14)."""
    situation, state = course.situation, course.state
    here = state.responsible
    if state.by_duty:
        if here in situation.all_on_duty(OPERATOR):
            return
        there = situation.operator_or_last_resort
        if there != here:
            course.add(Act.SHIFT, to=there)
            sentence = ("交接班：该未结事项由您负责。", "The shift has changed: this open matter is yours.")
            course.tell((there,), "R27", sentence, ring=state.urgency == EMERGENCY)
    elif not situation.answers_for(here):
        there = situation.relief(here)
        if there != here:
            course.add(Act.RELIEVE, to=there)
            sentence = ("原责任人不在岗，该事项由您负责。", "Whoever had it is away: this matter is yours.")
            course.tell(dict.fromkeys((there, state.first_responder)), "R14", sentence, ring=state.urgency == EMERGENCY)


def _keep_asking(course: Course) -> None:
    """Whoever lets the limit pass, goes away or leaves the company is passed over (R13)."""
    situation, state = course.situation, course.state
    if state.status is not Status.HANDED_OVER:
        return
    if state.asked is not None and state.asked == state.responsible:
        course.add(Act.ASSIGN, rule="R14", to=state.responsible)
        return
    if state.asked is not None:
        in_time = state.accept_by is not None and situation.at < state.accept_by
        if in_time and situation.answers_for(state.asked):
            return
        course.effect(EffectKind.RELEASE, state.asked, "R13", ("已移交下一位。", "The next person is asked."))
        course.add(Act.PASS_OVER, to=state.asked)
    ask_next(course)


def _keep_tasks(course: Course) -> None:
    """Whose the follow-up call or the written report is, and who is away or has left, leaves it to another (R15, R23).

    Stored states from before `follow_up_by` have nobody there; the task they have stays as it is.
    """
    situation, state = course.situation, course.state
    follows, writes = state.follow_up_by, state.report_by
    call, report = state.timer(Clock.FOLLOW_UP), state.timer(Clock.REPORT)
    if call is not None and follows is not None and not situation.answers_for(follows):
        calls = follow_up_person(situation, state)
        if calls != follows:
            course.add(Act.FOLLOW_UP, to=calls, due_at=call.due_at)
            sentence = ("原回访人不在岗，请您回访。", "Whoever was to make the follow-up call is away: please make it.")
            course.effect(EffectKind.FOLLOW_UP, calls, "R23", sentence, due_at=call.due_at)
    if report is not None and writes is not None and not situation.answers_for(writes):
        reports = situation.leader_or_last_resort
        if reports != writes:
            course.add(Act.REPORT_BY, to=reports)
            sentence = ("原报告人不在岗，书面报告由您提交。", "Whoever was to write the report is away: please do.")
            course.effect(EffectKind.REPORT, reports, "R15", sentence, due_at=report.due_at)


def not_answering(situation: Situation, state: TicketState, staff: str) -> Outcome:
    """Nobody answers the telephone of whoever is asked: absent, so the next is asked before the limit has passed (R13).

    Nothing happens where somebody else is asked by now. Who was passed over may still take the matter.
    """
    course = Course(situation, state)
    if state.status is Status.HANDED_OVER and state.asked == staff:
        person = situation.organisation.once_here(staff)
        zh, en = person.called(), person.called("en")
        sentence = (f"{zh}的电话无人接听，越过。", f"Nobody answers the telephone of {en}: passed over.")
        course.add(Act.PASS_OVER, to=staff, why=sentence)
        ask_next(course)
    return course.outcome()


def rungs_above(situation: Situation, staff: str) -> tuple[str, ...]:
    """The ladder above a person (R24), lowest first; those who are away are left out, the general manager never.

    Above the general manager there is nobody: they are told themselves.
    """
    organisation = situation.organisation
    ladder = organisation.ladder
    higher = ladder[ladder.index(staff) + 1 :] if staff in ladder else ladder
    there = tuple(p for p in higher if situation.available(p) and p != organisation.general_manager)
    return (*there, organisation.general_manager)


def _whose(course: Course, timer: Timer) -> str:
    """Who has to meet this clock."""
    state = course.state
    if timer.clock is Clock.REPORT and state.report_by is not None:
        return state.report_by
    if timer.clock is Clock.CONFIRM:
        return course.situation.operator_or_last_resort
    if timer.clock is Clock.FOLLOW_UP:
        return state.follow_up_by or follow_up_person(course.situation, state)
    return state.responsible


def warn_at(situation: Situation, timer: Timer) -> datetime:
    """When the warning of a clock goes out."""
    return timer.due_at - (timer.due_at - timer.starts_at) * situation.rules.warn_share


def told_now(situation: Situation, state: TicketState, timer: Timer) -> str:
    """Who of the ladder should know by now that `timer` is overdue: a rung higher with every step of time (R24)."""
    rungs = rungs_above(situation, state.responsible)
    steps = int((situation.at - timer.due_at) / situation.rules.ladder_step(state.urgency))
    return rungs[min(steps, len(rungs) - 1)]


def _clocks(course: Course) -> None:
    situation, state = course.situation, course.state
    overdue: dict[str, list[Clock]] = {}
    soon: dict[str, list[Clock]] = {}
    for timer in state.timers:
        if not timer.running or course.state.paused(timer):
            continue
        if timer.overdue(situation.at):
            told = told_now(situation, course.state, timer)
            if told in timer.told:
                continue
            if not timer.told:
                soon.setdefault(_whose(course, timer), []).append(timer.clock)
            course.add(Act.OVERDUE, to=told, clock=timer.clock)
            overdue.setdefault(told, []).append(timer.clock)
        elif not timer.warned and situation.at >= warn_at(situation, timer):
            course.add(Act.WARN, clock=timer.clock, due_at=timer.due_at)
            soon.setdefault(_whose(course, timer), []).append(timer.clock)
    for staff, clocks in soon.items():
        course.effect(EffectKind.WARN, staff, "R24", _sentence(clocks, "时限将至或已过", "due soon or overdue"))
    for staff, clocks in overdue.items():
        course.effect(EffectKind.ESCALATE, staff, "R24", _sentence(clocks, "已超时限", "overdue"))


def _sentence(clocks: list[Clock], zh: str, en: str) -> tuple[str, str]:
    return (
        f"{'、'.join(CLOCK_ZH[c] for c in clocks)}{zh}。",
        f"{', '.join(CLOCK_EN[c] for c in clocks).capitalize()}: {en}.",
    )


def _changes_of_people(situation: Situation, state: TicketState) -> list[datetime]:
    """When the roster says that another operator comes, or that whoever is concerned goes away."""
    roster, at = situation.roster, situation.at
    found = [roster.next_change(OPERATOR, at)] if state.by_duty and state.status.open else []
    has = (state.responsible, state.asked) if state.status.open else ()
    writes = state.report_by if state.timer(Clock.REPORT) is not None else None
    follows = state.follow_up_by if state.timer(Clock.FOLLOW_UP) is not None else None
    concerned = [p for p in (*has, writes, follows) if p is not None]
    found += [roster.next_absence_change(p, at) for p in concerned]
    found += [_gone_at(situation, p) for p in concerned]
    return [moment for moment in found if moment is not None]


def _gone_at(situation: Situation, staff: str) -> datetime | None:
    """When the person has left the company: the midnight after their last day; None where none is known."""
    last = situation.organisation.person(staff).active_until if situation.organisation.knows(staff) else None
    if last is None or last == date.max:  # the last day there is: written by whom a date was asked of
        return None
    return situation.rules.calendar.at(last + timedelta(days=1), time(0))


def next_tick_at(situation: Situation, state: TicketState) -> datetime | None:
    """The first moment later than now when `tick` may have something to do; None for a ticket that is over.

    Changes of the roster or of people that are made meanwhile come on top: tick then as well.
    """
    moments: list[datetime] = []
    if state.status.open:
        if state.accept_by is not None:
            moments.append(state.accept_by)
        if state.wait is not None:
            moments.append(state.wait.until)
    elif state.timer(Clock.REPORT) is None:
        return None
    moments += _changes_of_people(situation, state)
    step = situation.rules.ladder_step(state.urgency)
    for timer in state.timers:
        if not timer.running or state.paused(timer):
            continue
        if timer.due_at > situation.at:
            moments += [timer.due_at] if timer.warned else [warn_at(situation, timer), timer.due_at]
        else:
            steps = int((situation.at - timer.due_at) / step) + 1
            if steps < len(rungs_above(situation, state.responsible)):
                moments.append(timer.due_at + steps * step)
    return min((m for m in moments if m > situation.at), default=None)
