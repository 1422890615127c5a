"""值班表: who is on duty when, with replacements for those who are away (R25–R27)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import pairwise

OPERATOR = "operator"
"""值班员: the role that is first responder of calls nobody picked up (R11)."""
LEADER = "leader"
"""带班领导: the role that is told of every major matter (R15)."""


@dataclass(frozen=True)
class Shift:
    """One person on duty from `starts_at` up to, not including, `ends_at` (aware UTC).

    `role` is OPERATOR, LEADER, or a department's id (its person on duty).
    """

    role: str
    staff: str
    starts_at: datetime
    ends_at: datetime
    name: str = ""

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            raise ValueError("a shift's times are aware")
        if self.starts_at >= self.ends_at:
            raise ValueError("a shift ends after it starts")

    def covers(self, at: datetime) -> bool:
        """Whether `at` lies in the shift."""
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True)
class Absence:
    """Somebody away (leave, sick, an approved swap); `replaced_by` stands in for their shifts, if anybody does."""

    staff: str
    starts_at: datetime
    ends_at: datetime
    reason: str = ""
    replaced_by: str | None = None

    def covers(self, at: datetime) -> bool:
        """Whether the person is away at `at`."""
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True)
class Gap:
    """Hours in which nobody holds `role`; the last resort answers for them (R14)."""

    role: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Roster:
    """Shifts and absences of a stretch of time. Shifts listed first win where two overlap."""

    shifts: tuple[Shift, ...]
    absences: tuple[Absence, ...] = field(default=())

    @cached_property
    def _by_role(self) -> dict[str, tuple[Shift, ...]]:
        roles: dict[str, list[Shift]] = {}
        for shift in self.shifts:
            roles.setdefault(shift.role, []).append(shift)
        return {role: tuple(shifts) for role, shifts in roles.items()}

    @cached_property
    def _absences_of(self) -> dict[str, tuple[Absence, ...]]:
        people: dict[str, list[Absence]] = {}
        for absence in self.absences:
            people.setdefault(absence.staff, []).append(absence)
        return {staff: tuple(absences) for staff, absences in people.items()}

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that have any shift."""
        return tuple(self._by_role)

    def absence(self, staff: str, at: datetime) -> Absence | None:
        """Why `staff` is away at `at`; None when they are not."""
        return next((a for a in self._absences_of.get(staff, ()) if a.covers(at)), None)

    def absent(self, staff: str, at: datetime) -> bool:
        """Whether `staff` is away at `at`."""
        return self.absence(staff, at) is not None

    def _stand_in(self, staff: str, at: datetime) -> str | None:
        seen = {staff}
        while (absence := self.absence(staff, at)) is not None:
            if absence.replaced_by is None or absence.replaced_by in seen:
                return None
            staff = absence.replaced_by
            seen.add(staff)
        return staff

    def all_on_duty(self, role: str, at: datetime) -> tuple[str, ...]:
        """Ids of everybody who holds `role` at `at`, replacements applied, in the roster's order."""
        people = (self._stand_in(s.staff, at) for s in self._by_role.get(role, ()) if s.covers(at))
        return tuple(dict.fromkeys(p for p in people if p is not None))

    def on_duty(self, role: str, at: datetime) -> str | None:
        """Id of the person who holds `role` at `at`; None in a gap (then the last resort answers, R14)."""
        people = self.all_on_duty(role, at)
        return people[0] if people else None

    def shift_of(self, staff: str, at: datetime, role: str | None = None) -> Shift | None:
        """The shift that `staff` works at `at` (of `role`, if given), as themselves or standing in."""
        for shift in self.shifts if role is None else self._by_role.get(role, ()):
            if shift.covers(at) and self._stand_in(shift.staff, at) == staff:
                return shift
        return None

    def next_change(self, role: str, after: datetime) -> datetime | None:
        """First moment later than `after` when a shift of `role` starts or ends, or a change of absence."""
        moments = {m for s in self._by_role.get(role, ()) for m in (s.starts_at, s.ends_at)}
        moments |= {m for a in self.absences for m in (a.starts_at, a.ends_at)}
        return min((m for m in moments if m > after), default=None)

    def next_absence_change(self, staff: str, after: datetime) -> datetime | None:
        """First moment later than `after` when `staff` goes away or comes back."""
        moments = (m for a in self._absences_of.get(staff, ()) for m in (a.starts_at, a.ends_at))
        return min((m for m in moments if m > after), default=None)

    def window(self, starts_at: datetime, ends_at: datetime) -> Roster:
        """The part that touches the stretch given (the snapshot carries 72 h)."""
        return Roster(
            tuple(s for s in self.shifts if s.starts_at < ends_at and s.ends_at > starts_at),
            tuple(a for a in self.absences if a.starts_at < ends_at and a.ends_at > starts_at),
        )

    def gaps(self, role: str, starts_at: datetime, ends_at: datetime) -> tuple[Gap, ...]:
        """Hours between the two moments in which nobody holds `role`, joined where they touch."""
        moments = {starts_at, ends_at}
        moments |= {m for s in self._by_role.get(role, ()) for m in (s.starts_at, s.ends_at)}
        moments |= {m for a in self.absences for m in (a.starts_at, a.ends_at)}
        ordered = sorted(m for m in moments if starts_at <= m <= ends_at)
        found: list[Gap] = []
        for begin, end in pairwise(ordered):
            if self.on_duty(role, begin) is not None:
                continue
            if found and found[-1].ends_at == begin:
                found[-1] = Gap(role, found[-1].starts_at, end)
            else:
                found.append(Gap(role, begin, end))
        return tuple(found)
