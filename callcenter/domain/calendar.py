"""The working calendar of a site: its hours, days off and make-up workdays, as plain values.

Which days are holidays comes in as data (`callcenter.site` builds it), so that a line needs no holiday library.
Everything takes and returns aware datetimes; results are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

LONGEST_BREAK_DAYS = 60
"""No site rests longer than this: a search for the next working day that goes beyond it is a calendar without any."""


@lru_cache(maxsize=16)
def zone_of(name: str) -> ZoneInfo:
    """The time zone named `name`."""
    return ZoneInfo(name)


@dataclass(frozen=True)
class WorkingCalendar:
    """When the office works. `weekdays` count from Monday = 0; `days_off` and `workdays` override them by date."""

    zone: str = "Asia/Shanghai"
    opens: time = time(8, 30)
    closes: time = time(17, 30)
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    days_off: frozenset[date] = field(default_factory=frozenset)
    workdays: frozenset[date] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if self.opens >= self.closes:
            raise ValueError("the office must open before it closes, on the same day")
        if not self.weekdays:
            raise ValueError("a calendar needs at least one working weekday")

    def local(self, at: datetime) -> datetime:
        """`at` on the site's clock."""
        return at.astimezone(zone_of(self.zone))

    def day(self, at: datetime) -> date:
        """The site's date at `at`."""
        return self.local(at).date()

    def at(self, day: date, clock: time) -> datetime:
        """UTC moment when the site's clock shows `clock` on `day`."""
        return datetime.combine(day, clock, zone_of(self.zone)).astimezone(UTC)

    def is_workday(self, day: date) -> bool:
        """Whether the office works on `day`: make-up workdays count, holidays do not."""
        if day in self.workdays:
            return True
        return day.weekday() in self.weekdays and day not in self.days_off

    def is_holiday(self, day: date) -> bool:
        """Whether `day` is a public holiday, or a day off of the site's own; a plain weekend and a make-up workday
        are none."""
        return day in self.days_off and day not in self.workdays

    def is_open(self, at: datetime) -> bool:
        """Whether the office is open at `at`."""
        local = self.local(at)
        return self.is_workday(local.date()) and self.opens <= local.time() < self.closes

    def next_workday(self, after: date) -> date:
        """First working day later than `after`."""
        for ahead in range(1, LONGEST_BREAK_DAYS + 1):
            day = after + timedelta(days=ahead)
            if self.is_workday(day):
                return day
        raise ValueError(f"no working day within {LONGEST_BREAK_DAYS} days of {after}")

    def add_working_time(self, at: datetime, span: timedelta) -> datetime:
        """Moment when the office has worked for `span` since `at` (R13's working hours): `at` itself for none."""
        if not span:
            return at.astimezone(UTC)
        local = self.local(at)
        day = local.date()
        if not self.is_workday(day) or local.time() >= self.closes:
            day = self.next_workday(day)
            start = self.at(day, self.opens)
        else:
            start = max(at.astimezone(UTC), self.at(day, self.opens))
        while True:
            left = self.at(day, self.closes) - start
            if span <= left:
                return start + span
            span -= left
            day = self.next_workday(day)
            start = self.at(day, self.opens)

    def add_working_days(self, at: datetime, days: int) -> datetime:
        """Same clock time `days` working days later (R20); the day of `at` itself does not count."""
        local = self.local(at)
        day = local.date()
        for _ in range(days):
            day = self.next_workday(day)
        return self.at(day, local.time().replace(tzinfo=None))

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """How long the office worked between `start` and `end`."""
        total = timedelta()
        day, last = self.day(start), self.day(end)
        while day <= last:
            if self.is_workday(day):
                begin = max(start, self.at(day, self.opens))
                finish = min(end, self.at(day, self.closes))
                total += max(finish - begin, timedelta())
            day += timedelta(days=1)
        return total

    def end_of_day(self, at: datetime) -> datetime:
        """Last moment of the site's day of `at`: the next midnight (R23: a follow-up call the same day)."""
        return self.at(self.day(at) + timedelta(days=1), time(0))

    def next_day_at_close(self, at: datetime) -> datetime:
        """Closing time of the next calendar day (R15: the written report)."""
        return self.at(self.day(at) + timedelta(days=1), self.closes)
