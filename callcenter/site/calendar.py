"""`calendar.yaml`: office hours and days off; public holidays and make-up workdays come from `holidays`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from callcenter.domain.calendar import LONGEST_BREAK_DAYS, WorkingCalendar
from callcenter.site.source import Node, read

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class CalendarSource:
    """What the file says; `calendar` makes the values of certain years of it."""

    zone: str
    opens: time
    closes: time
    weekdays: frozenset[int]
    country: str | None
    days_off: frozenset[date]
    workdays: frozenset[date]

    def calendar(self, years: Iterable[int]) -> WorkingCalendar:
        """The calendar with the public holidays of `years`.

        The make-up workdays of a year are known once the government has published them (in November before);
        until then its holidays count and nothing is worked in exchange.
        """
        off, made_up = set(self.days_off), set(self.workdays)
        for year in years:
            public, instead = _public(self.country, year) if self.country else (frozenset(), frozenset())
            off |= public
            made_up |= instead
        return WorkingCalendar(
            zone=self.zone,
            opens=self.opens,
            closes=self.closes,
            weekdays=self.weekdays,
            days_off=frozenset(off - self.workdays),
            workdays=frozenset(made_up - self.days_off),
        )


@lru_cache(maxsize=64)
def _public(country: str, year: int) -> tuple[frozenset[date], frozenset[date]]:
    found = holidays.country_holidays(country, years=[year])
    instead = frozenset(d for d in getattr(found, "weekend_workdays", ()) if d.year == year)
    return frozenset(found), instead


def _days(node: Node, key: str) -> frozenset[date]:
    found = node.find(key)
    return frozenset(e.day() for e in found.elements()) if found is not None else frozenset()


def load_calendar(path: Path) -> CalendarSource:
    """Read `calendar.yaml`."""
    node = read(path).only("zone", "opens", "closes", "weekdays", "holidays", "days_off", "workdays")
    zone = node.get("zone")
    try:
        ZoneInfo(zone.text())
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise zone.error("unknown_zone", f"no time zone {zone.text()!r}", "write it as Asia/Shanghai") from error
    weekdays: set[int] = set()
    for element in node.get("weekdays").elements():
        if element.text() not in _WEEKDAYS:
            raise element.error("unknown_weekday", f"no weekday {element.text()!r}", f"use {', '.join(_WEEKDAYS)}")
        weekdays.add(_WEEKDAYS.index(element.text()))
    if not weekdays:
        raise node.get("weekdays").error("no_weekday", "no working weekday", "list at least one")
    country = node.find("holidays")
    if country is not None and country.text() not in holidays.list_supported_countries():
        raise country.error(
            "unknown_country", f"no holidays are known for {country.text()!r}", "use CN, or leave it out"
        )
    opens, closes = node.get("opens"), node.get("closes")
    if opens.clock() >= closes.clock():
        raise closes.error("hours", "the office closes before it opens", "write `closes` later than `opens`")
    source = CalendarSource(
        zone=zone.text(),
        opens=opens.clock(),
        closes=closes.clock(),
        weekdays=frozenset(weekdays),
        country=country.text() if country is not None else None,
        days_off=_days(node, "days_off"),
        workdays=_days(node, "workdays"),
    )
    _ends_every_break(node, source)
    return source


def _ends_every_break(node: Node, source: CalendarSource) -> None:
    """Days off end before the search for the next working day does: else no limit in working hours could be named."""
    calendar = replace(source, country=None).calendar(())
    for day in sorted(source.days_off):
        try:
            calendar.next_workday(day - timedelta(days=1))
        except (ValueError, OverflowError):
            raise node.get("days_off").error(
                "long_break", f"no working day for {LONGEST_BREAK_DAYS} days around {day}",
                "leave working days between them, or list some in `workdays`",
            ) from None  # fmt: skip
