"""The figures of the rule that a site may set: acceptance and time limits, what is major (R13–R24, R32)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callcenter.domain.calendar import WorkingCalendar

EMERGENCY = "emergency"
IMPORTANT = "important"
NORMAL = "normal"
URGENCIES = (NORMAL, IMPORTANT, EMERGENCY)
"""R8, least first."""
URGENCY_ZH = {EMERGENCY: "紧急", IMPORTANT: "重要", NORMAL: "一般"}


@dataclass(frozen=True)
class AcceptanceLimit:
    """How long one person of the chain may take to accept (R13). `working_time`: only the office's hours count."""

    minutes: int
    working_time: bool = False

    @property
    def zh(self) -> str:
        """As a sentence says it: 3分钟, 4个工作小时."""
        if self.minutes % 60:
            return f"{self.minutes}{'工作' if self.working_time else ''}分钟"
        return f"{self.minutes // 60}个{'工作' if self.working_time else ''}小时"

    @property
    def en(self) -> str:
        """As a sentence says it: 3 minutes, 4 working hours."""
        count, unit = (self.minutes, "minute") if self.minutes % 60 else (self.minutes // 60, "hour")
        return f"{count} {'working ' if self.working_time else ''}{unit}{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class Rules:
    """Limits of one site, each with its rule; the defaults are those of docs/rules.md."""

    emergency_accept_min: int = 3
    important_accept_min: int = 30
    normal_accept_working_h: int = 4
    answer_within_h: int = 24
    contact_within_h: int = 24
    investigation_working_days: int = 3
    close_within_days: int = 7
    confirm_within_min: int = 5
    call_back_within_min: int = 30
    major_households: int = 10
    """More households than this make a matter major (R15)."""
    incident_calls: int = 5
    incident_site_calls: int = 10
    """Failures of a supply in the whole site that make one incident, however few from each building (R32)."""
    incident_window_min: int = 30
    refusals_escalate: int = 2
    """So many refusals of one matter bring it before the office (R16)."""
    warn_share: float = 0.25
    """A warning goes out when this share of a time limit is left."""
    ladder_step_min: int = 240
    emergency_ladder_step_min: int = 15
    """Minutes between the rungs of the ladder an overdue matter climbs (R24)."""
    calendar: WorkingCalendar = field(default_factory=WorkingCalendar)

    def acceptance(self, urgency: str) -> AcceptanceLimit:
        """The acceptance limit of an urgency (R13); an unknown one is treated as normal."""
        if urgency == EMERGENCY:
            return AcceptanceLimit(self.emergency_accept_min)
        if urgency == IMPORTANT:
            return AcceptanceLimit(self.important_accept_min)
        return AcceptanceLimit(self.normal_accept_working_h * 60, working_time=True)

    def ladder_step(self, urgency: str) -> timedelta:
        """Time between two rungs of the ladder (R24)."""
        return timedelta(minutes=self.emergency_ladder_step_min if urgency == EMERGENCY else self.ladder_step_min)

    def accept_by(self, urgency: str, at: datetime) -> datetime:
        """When somebody asked at `at` has let the limit pass."""
        limit = self.acceptance(urgency)
        span = timedelta(minutes=limit.minutes)
        return self.calendar.add_working_time(at, span) if limit.working_time else at + span


def more_urgent(one: str, other: str) -> bool:
    """Whether `one` is more urgent than `other` (R8)."""
    rank = {name: place for place, name in enumerate(URGENCIES)}
    return rank.get(one, 0) > rank.get(other, 0)
