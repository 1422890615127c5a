"""The turns from which a site's monthly roster is made, for any date (R25): rotations, holidays, exceptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from callcenter.domain.calendar import WorkingCalendar, zone_of
from callcenter.domain.roster import Absence, Roster, Shift

Row = Mapping[str, tuple[str, ...]]
"""One day of a rotation: shift name → staff ids."""


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
