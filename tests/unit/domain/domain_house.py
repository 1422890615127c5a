"""A small house for the domain's tests: the letters of docs/rules.md, one roster, figures of the rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from callcenter.domain.calendar import WorkingCalendar
from callcenter.domain.matters import Call, Matter
from callcenter.domain.places import Place
from callcenter.domain.responsibility import Decision, decide
from callcenter.domain.roster import LEADER, OPERATOR, Roster, Shift
from callcenter.domain.rules import Rules
from callcenter.domain.situation import Situation
from callcenter.domain.staff import AreaManager, Department, Organisation, OutsideBody, Staff

SITE = "xingfu"


def _person(letter: str, department: str, title: str, above: str | None) -> Staff:
    return Staff(letter, letter, title, department, letter, title, extension=f"2{ord(letter[0])}", reports_to=above)


STAFF = (
    _person("A", "service", "值班员", "S"),
    _person("D", "service", "值班员", "S"),
    _person("E", "service", "值班员", "S"),
    _person("S", "service", "客服主任", "M"),
    _person("M", "service", "客服部经理", "G"),
    _person("P", "service", "物业助理", "S"),
    _person("B", "engineering", "维修工", "C"),
    _person("C", "engineering", "副经理", "K"),
    _person("K", "engineering", "工程部经理", "G"),
    _person("V", "environment", "保洁领班", "W"),
    _person("W", "environment", "环境部经理", "G"),
    _person("L", "security", "秩序维护部经理", "G"),
    _person("O", "office", "办公室主任", "G"),
    _person("R", "service", "兜底责任人", "G"),
    _person("G", "office", "总经理", None),
)
ORGANISATION = Organisation(
    site=SITE,
    name="幸福小区物业服务中心",
    name_en="Xingfu",
    staff=STAFF,
    departments=(
        Department("service", "客服部", "Customer Service", "M", ("S",)),
        Department("engineering", "工程部", "Engineering", "K", ("C",)),
        Department("environment", "环境部", "Environment", "W"),
        Department("security", "秩序维护部", "Security", "L"),
        Department("office", "办公室", "Office", "O"),
    ),
    general_manager="G",
    office="O",
    last_resort="R",
    ladder=("P", "S", "M", "G"),
    area_managers=(AreaManager("east", "P", ("2", "3", "5", "6")),),
    outside_bodies=(OutsideBody("power_company", "供电公司", "the power company", "95598"),),
)
RULES = Rules(calendar=WorkingCalendar())

EVENING = datetime(2026, 11, 19, 12, 10, tzinfo=UTC)
"""20:10 on a Thursday, as in the first worked example; operator A is on duty until 23:30."""
MORNING = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
"""9:00 the next day; operator D is on duty."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 on the site's clock."""
    return RULES.calendar.at(EVENING.date().replace(day=day), datetime(2026, 1, 1, hour, minute, tzinfo=UTC).time())


def _duty(role: str, staff: str, start: datetime, hours: float) -> Shift:
    return Shift(role, staff, start, start + timedelta(hours=hours))


DAYS = range(1, 29)
ROSTER = Roster(
    tuple(
        shift
        for day in DAYS
        for shift in (
            _duty(OPERATOR, "D", at(day, 8, 30), 8),
            _duty(OPERATOR, "A", at(day, 16, 30), 7),
            _duty(LEADER, "L", at(day, 8, 30), 24),
            _duty("engineering", "B", at(day, 8, 30), 24),
            _duty("environment", "V", at(day, 8, 30), 8),
            _duty("security", "L", at(day, 8, 30), 24),
        )
    )
)
"""Day and evening operators D and A; nobody at night (23:30–8:30): a gap, which the last resort R covers."""

BURST = Matter("repair", "water_leak", "emergency", "engineering", Place("3", "2", "1102"))
LAMP = Matter("repair", "facility", "normal", "engineering", Place("3", "2", None))
CLEANING = Matter("complaint", "cleaning", "normal", "environment", Place("2"))
FEES_QUESTION = Matter("enquiry", "staff", "normal", "service")
RESIDENT = Call(SITE, "+8614000001101", "3-2-1102")


def situation(moment: datetime, roster: Roster = ROSTER, organisation: Organisation = ORGANISATION) -> Situation:
    """The house at a moment."""
    return Situation(organisation, roster, RULES, moment)


def decision(
    matter: Matter,
    moment: datetime = EVENING,
    call: Call = RESIDENT,
    taken_by: str | None = None,
    roster: Roster = ROSTER,
) -> Decision:
    """What the rule says of a call."""
    return decide(call, matter, ORGANISATION, roster, RULES, moment, (), taken_by)
