"""The turns from which a site's monthly roster is made, for any date (R25): rotations, holidays, exceptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations

from callcenter.domain.calendar import WorkingCalendar, zone_of
from callcenter.domain.roster import Absence, Roster, Shift

Row = Mapping[str, tuple[str, ...]]
"""One day of a rotation: shift name → staff ids."""

_DAY_MIN = 24 * 60


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


@dataclass(frozen=True)
class ShiftTime:
    """A shift's hours on the site's clock; one that ends at or before its start ends the next day."""

    name: str
    zh: str
    starts: time
    ends: time

    def on(self, day: date, zone: str) -> tuple[datetime, datetime]:
        """Start and end in UTC of the shift that begins on `day`."""
        last = day if self.ends > self.starts else day + timedelta(days=1)
        start, end = (datetime.combine(d, t, zone_of(zone)) for d, t in ((day, self.starts), (last, self.ends)))
        return start.astimezone(UTC), end.astimezone(UTC)


@dataclass(frozen=True)
class Rotation:
    """The turn of one role: `rows` follow each other from `starts_on` on and begin again (also backwards).

    On public holidays `holiday_rows` are used in the same way, where there are any. `workdays_only`: nobody holds
    the role on days off (a department that is closed then).
    """

    role: str
    starts_on: date
    rows: tuple[Row, ...]
    holiday_rows: tuple[Row, ...] = ()
    workdays_only: bool = False

    def shifts_used(self) -> set[str]:
        """Names of the shifts that somebody works."""
        return {name for row in (*self.rows, *self.holiday_rows) for name, people in row.items() if people}

    def row(self, day: date, calendar: WorkingCalendar) -> Row:
        """Who works on `day`."""
        if self.workdays_only and not calendar.is_workday(day):
            return {}
        rows = self.holiday_rows if self.holiday_rows and day in calendar.days_off else self.rows
        return rows[(day - self.starts_on).days % len(rows)] if rows else {}


@dataclass(frozen=True)
class RosterException:
    """One shift of one day that departs from the rotation; an empty `staff` leaves it without anybody."""

    day: date
    role: str
    shift: str
    staff: tuple[str, ...]


@dataclass(frozen=True)
class RosterPattern:
    """Everything `roster.yaml` says. `shift_times` in the order of the day."""

    shift_times: tuple[ShiftTime, ...]
    rotations: tuple[Rotation, ...]
    exceptions: tuple[RosterException, ...] = ()
    absences: tuple[Absence, ...] = ()

    def overlaps(self) -> tuple[tuple[ShiftTime, ShiftTime, tuple[str, ...]], ...]:
        """Shifts of one role that overlap: the one that still runs, the one that begins meanwhile, and the roles."""
        found: list[tuple[ShiftTime, ShiftTime, tuple[str, ...]]] = []
        for early, late in permutations(self.shift_times, 2):
            begins_min = (_minutes(late.starts) - _minutes(early.starts)) % _DAY_MIN
            lasts_min = (_minutes(early.ends) - _minutes(early.starts)) % _DAY_MIN or _DAY_MIN
            if begins_min >= lasts_min or (begins_min == 0 and early.name > late.name):
                continue
            roles = tuple(r.role for r in self.rotations if {early.name, late.name} <= r.shifts_used())
            if roles:
                found.append((early, late, roles))
        return tuple(found)

    def _shifts(self, day: date, calendar: WorkingCalendar) -> Iterator[Shift]:
        changed = {(e.role, e.shift): e.staff for e in self.exceptions if e.day == day}
        for rotation in self.rotations:
            row = rotation.row(day, calendar)
            for shift in self.shift_times:
                people = changed.get((rotation.role, shift.name), row.get(shift.name, ()))
                starts, ends = shift.on(day, calendar.zone)
                yield from (Shift(rotation.role, person, starts, ends, shift.name) for person in people)

    def roster(
        self,
        starts_at: datetime,
        ends_at: datetime,
        calendar: WorkingCalendar,
        employed: Callable[[str, date], bool] = lambda _staff, _day: True,
    ) -> Roster:
        """The roster that touches the stretch given. Shifts of people not `employed` on that day are left out."""
        day, last = calendar.day(starts_at) - timedelta(days=1), calendar.day(ends_at)
        shifts: list[Shift] = []
        while day <= last:
            shifts += (s for s in self._shifts(day, calendar) if employed(s.staff, day))
            day += timedelta(days=1)
        return Roster(tuple(shifts), self.absences).window(starts_at, ends_at)
