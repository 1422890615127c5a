"""Time limits of a matter (R18–R24): what is due when, on the site's working calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.rules import Rules


class Clock(StrEnum):
    """What may be due."""

    CONFIRM = "confirm"
    """待核实: the duty operator listens and confirms."""
    ACCEPT = "accept"
    """One person of the chain accepts or is passed over (R13)."""
    ANSWER = "answer"
    """First answer to the caller, calendar time (R18)."""
    CONTACT = "contact"
    """Duty made clear, first contact by the department, calendar time (R19)."""
    INVESTIGATION = "investigation"
    """Promised answer after an investigation, working days (R20)."""
    CLOSE = "close"
    """Case closed, calendar days (R21)."""
    CALL_BACK = "call_back"
    """A promised call-back (R22)."""
    FOLLOW_UP = "follow_up"
    """回访 on the day the matter is done (R23)."""
    REPORT = "report"
    """Written report on a major matter, next day (R15)."""


RULE_OF_CLOCK = {
    Clock.CONFIRM: "R8",
    Clock.ACCEPT: "R13",
    Clock.ANSWER: "R18",
    Clock.CONTACT: "R19",
    Clock.INVESTIGATION: "R20",
    Clock.CLOSE: "R21",
    Clock.CALL_BACK: "R22",
    Clock.FOLLOW_UP: "R23",
    Clock.REPORT: "R15",
}
CLOCK_ZH = {
    Clock.CONFIRM: "核实",
    Clock.ACCEPT: "接受移交",
    Clock.ANSWER: "答复来电人",
    Clock.CONTACT: "明确责任并首次联系",
    Clock.INVESTIGATION: "调查答复",
    Clock.CLOSE: "办结",
    Clock.CALL_BACK: "回电",
    Clock.FOLLOW_UP: "回访",
    Clock.REPORT: "书面报告",
}
CLOCK_EN = {
    Clock.CONFIRM: "confirm",
    Clock.ACCEPT: "accept the hand-over",
    Clock.ANSWER: "answer the caller",
    Clock.CONTACT: "take charge and make first contact",
    Clock.INVESTIGATION: "answer after investigation",
    Clock.CLOSE: "close the case",
    Clock.CALL_BACK: "call back",
    Clock.FOLLOW_UP: "follow-up call",
    Clock.REPORT: "written report",
}


@dataclass(frozen=True)
class Deadline:
    """One thing due. `starts_at` and `due_at` are aware UTC."""

    clock: Clock
    starts_at: datetime
    due_at: datetime

    @property
    def rule(self) -> str:
        """The rule it comes from."""
        return RULE_OF_CLOCK[self.clock]


def opening_deadlines(
    rules: Rules,
    at: datetime,
    *,
    handed_over: bool,
    needs_investigation: bool,
    major: bool,
    to_confirm: bool = False,
    call_back_at: datetime | None = None,
) -> tuple[Deadline, ...]:
    """What is due of a matter opened at `at`, soonest first (R15, R18–R22)."""

    def due(clock: Clock, moment: datetime) -> Deadline:
        return Deadline(clock, at, moment)

    found = [
        due(Clock.ANSWER, at + timedelta(hours=rules.answer_within_h)),
        due(Clock.CLOSE, at + timedelta(days=rules.close_within_days)),
    ]
    if handed_over:
        found.append(due(Clock.CONTACT, at + timedelta(hours=rules.contact_within_h)))
    if needs_investigation:
        found.append(due(Clock.INVESTIGATION, rules.calendar.add_working_days(at, rules.investigation_working_days)))
    if major:
        found.append(due(Clock.REPORT, rules.calendar.next_day_at_close(at)))
    if to_confirm:
        found.append(due(Clock.CONFIRM, at + timedelta(minutes=rules.confirm_within_min)))
    if call_back_at is not None:
        found.append(due(Clock.CALL_BACK, call_back_at))
    return tuple(sorted(found, key=lambda d: d.due_at))
