"""Calendar, roster, places, numbers, organisation: the values the rule looks at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from domain_house import EVENING, MORNING, ORGANISATION, ROSTER, RULES, at
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.domain.calendar import WorkingCalendar
from callcenter.domain.labels import Label, SpokenPlace, Understanding
from callcenter.domain.matters import Matter
from callcenter.domain.numbers import by_dialled, canonical
from callcenter.domain.places import Area, Building, Gazetteer, Place, Unit
from callcenter.domain.roster import LEADER, OPERATOR, Absence, Gap, Roster, Shift
from callcenter.domain.roster_pattern import RosterException, RosterPattern, Rotation, ShiftTime
from callcenter.domain.rules import AcceptanceLimit, more_urgent
from callcenter.domain.staff import AreaManager, Department, Organisation
from callcenter.errors import DomainError

CALENDAR = WorkingCalendar(days_off=frozenset({date(2026, 10, 7)}), workdays=frozenset({date(2026, 10, 10)}))
MOMENTS = st.datetimes(datetime(2026, 9, 1), datetime(2026, 12, 1)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001


def test_make_up_workdays_count_and_holidays_do_not() -> None:
    assert CALENDAR.is_workday(date(2026, 10, 10)), "a Saturday that is worked in exchange"
    assert not CALENDAR.is_workday(date(2026, 10, 7))
    assert not CALENDAR.is_workday(date(2026, 10, 11))
    assert CALENDAR.next_workday(date(2026, 10, 6)) == date(2026, 10, 8)


def test_a_plain_weekend_is_no_holiday() -> None:
    assert CALENDAR.is_holiday(date(2026, 10, 7))
    assert not CALENDAR.is_holiday(date(2026, 10, 11)), "a Sunday"
    assert not CALENDAR.is_holiday(date(2026, 10, 10))
    both = WorkingCalendar(days_off=frozenset({date(2026, 10, 10)}), workdays=frozenset({date(2026, 10, 10)}))
    assert not both.is_holiday(date(2026, 10, 10)), "worked in exchange"


def test_working_hours_skip_nights_and_days_off() -> None:
    four = timedelta(hours=4)
    assert CALENDAR.add_working_time(at(19, 9), four) == at(19, 13)
    assert CALENDAR.add_working_time(at(19, 16), four) == at(20, 11)
    assert CALENDAR.add_working_time(at(20, 16), four) == at(23, 11)
    assert CALENDAR.add_working_time(at(21, 12), four) == at(23, 12, 30)
    assert CALENDAR.add_working_days(at(19, 20, 10), 3) == at(24, 20, 10)


@settings(deadline=None)
@given(MOMENTS, st.integers(0, 60), st.integers(0, 60))
def test_working_time_adds_up(start: datetime, one: int, other: int) -> None:
    first, second = timedelta(hours=one), timedelta(hours=other)
    middle = CALENDAR.add_working_time(start, first)
    end = CALENDAR.add_working_time(start, first + second)
    assert CALENDAR.add_working_time(middle, second) == end
    assert CALENDAR.working_time(start, end) == first + second
    assert end >= middle >= start


def test_a_calendar_that_never_works_is_refused() -> None:
    with pytest.raises(ValueError, match="must open before it closes"):
        WorkingCalendar(opens=time(18), closes=time(9))
    with pytest.raises(ValueError, match="at least one working weekday"):
        WorkingCalendar(weekdays=frozenset())
    off = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(200))
    with pytest.raises(ValueError, match="no working day"):
        WorkingCalendar(days_off=off).next_workday(date(2026, 1, 1))


def test_limits_read_as_people_say_them() -> None:
    assert [RULES.acceptance(u).zh for u in ("emergency", "important", "normal")] == ["3分钟", "30分钟", "4个工作小时"]
    assert [RULES.acceptance(u).en for u in ("emergency", "normal")] == ["3 minutes", "4 working hours"]
    assert AcceptanceLimit(60).en == "1 hour"
    assert more_urgent("emergency", "important")
    assert not more_urgent("normal", "normal")


def test_who_is_on_duty_with_stand_ins_and_gaps() -> None:
    assert (ROSTER.on_duty(OPERATOR, EVENING), ROSTER.on_duty(OPERATOR, MORNING)) == ("A", "D")
    assert ROSTER.on_duty(OPERATOR, at(20, 3)) is None
    away = replace(ROSTER, absences=(Absence("A", EVENING, EVENING + timedelta(hours=1), "病假", "E"),))
    assert away.on_duty(OPERATOR, EVENING) == "E"
    assert away.shift_of("E", EVENING, OPERATOR) is not None
    assert away.shift_of("A", EVENING, OPERATOR) is None
    both_away = replace(away, absences=(*away.absences, Absence("E", EVENING, EVENING + timedelta(hours=1), "", "A")))
    assert both_away.on_duty(OPERATOR, EVENING) is None, "standing in for each other is nobody"


def test_a_gap_is_one_stretch() -> None:
    assert ROSTER.gaps(OPERATOR, at(19, 20), at(20, 9)) == (Gap(OPERATOR, at(19, 23, 30), at(20, 8, 30)),)
    assert ROSTER.gaps(LEADER, at(19, 20), at(20, 9)) == ()
    away = replace(ROSTER, absences=(Absence("A", at(19, 22), at(19, 23)),))
    assert [g.starts_at for g in away.gaps(OPERATOR, at(19, 20), at(20, 0))] == [at(19, 22), at(19, 23, 30)]


def test_a_window_of_the_roster_answers_alike() -> None:
    window = ROSTER.window(EVENING, EVENING + timedelta(hours=72))
    assert len(window.shifts) < len(ROSTER.shifts)
    for hour in range(72):
        moment = EVENING + timedelta(hours=hour)
        assert window.on_duty(OPERATOR, moment) == ROSTER.on_duty(OPERATOR, moment)


def test_a_shift_has_aware_times_in_order() -> None:
    with pytest.raises(ValueError, match="aware"):
        Shift(OPERATOR, "A", datetime(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="after it starts"):
        Shift(OPERATOR, "A", MORNING, EVENING)


def test_turns_make_a_roster_for_any_date() -> None:
    pattern = RosterPattern(
        (ShiftTime("day", "白班", time(8, 30), time(20)), ShiftTime("night", "夜班", time(20), time(8, 30))),
        (
            Rotation(OPERATOR, date(2026, 1, 1), ({"day": ("A",), "night": ("D",)}, {"day": ("E",), "night": ("A",)})),
            Rotation("finance", date(2026, 1, 1), ({"day": ("V",)},), workdays_only=True),
        ),
        (RosterException(date(2026, 11, 19), OPERATOR, "night", ("E",)),),
    )

    def on_duty(role: str, moment: datetime) -> str | None:
        return pattern.roster(moment, moment + timedelta(hours=1), CALENDAR).on_duty(role, moment)

    assert [on_duty(OPERATOR, at(day, 12)) for day in (17, 18, 19, 20)] == ["A", "E", "A", "E"]
    assert on_duty(OPERATOR, at(20, 3)) == "E", "the exception's night shift goes on after midnight"
    assert (on_duty("finance", at(20, 12)), on_duty("finance", at(21, 12))) == ("V", None)
    long_ago = datetime(2019, 5, 1, 4, tzinfo=UTC)
    assert on_duty(OPERATOR, long_ago) in ("A", "E")
    gone = pattern.roster(at(17, 12), at(17, 13), CALENDAR, lambda staff, _day: staff != "A")
    assert gone.on_duty(OPERATOR, at(17, 12)) is None


GAZETTEER = Gazetteer(
    "xingfu",
    (Area("east", "东区"),),
    (
        Building("3", "east", (Unit("1", 18, 2), Unit("2", 18, 2, extra=("1201A",)))),
        Building("5", "east", (Unit("1", 11, 4, missing=("101",)),), ("幼儿园楼",)),
    ),
)


@pytest.mark.parametrize(
    ("building", "unit", "room", "known"),
    [
        ("3", "2", "1102", True), ("3", None, "1102", True), ("3", "2", None, True),
        ("3", "2", "1201A", True),
        ("3", "1", "1201A", False), ("3", "2", "1103", False), ("3", "2", "1902", False), ("3", "3", "101", False),
        ("5", "1", "101", False), ("5", None, "801", True), ("幼儿园楼", None, None, True), ("4", None, None, False),
        (None, "2", "1102", False), ("3", "2", "0102", False), ("3", "2", "一一零二", False),
        ("3", "2", "２０１", False),
    ],
)  # fmt: skip
def test_the_gazetteer_knows_its_rooms(building: str | None, unit: str | None, room: str | None, known: bool) -> None:
    assert GAZETTEER.knows(building, unit, room) is known


def test_the_gazetteer_fills_in_what_follows() -> None:
    assert GAZETTEER.complete(Place("5", None, "801")) == Place("5", "1", "801", "east")
    assert GAZETTEER.complete(Place("3", None, "1102")).unit is None, "both units have it"
    assert GAZETTEER.complete(Place("3", None, "1201A")).unit == "2"
    assert GAZETTEER.complete(Place("幼儿园楼")).building == "5"
    assert GAZETTEER.complete(Place("9")) == Place("9")
    unit = GAZETTEER.buildings[1].units[0]
    assert all(unit.has_room(room) for room in unit.rooms())
    assert len(unit.rooms()) == 43


def test_a_door_is_known_by_its_figures_in_a_row() -> None:
    one, eleven = (Building(name, "east", (Unit("1", 18, 2),)) for name in ("1", "11"))
    site = Gazetteer("example", (), (one, eleven))
    assert site.door("111102") is None, "1-1-1102 or 11-1-102"
    assert site.door("111102", "1") is None, "six figures are no room and unit of building 1"
    assert site.door("11102", "1") == Place("1", "1", "1102")
    assert site.door("1111802") == Place("11", "1", "1802")
    assert site.door("1112902") is None, "no such floor"
    assert site.door("11102", "7") is None


@pytest.mark.parametrize(
    ("dialled", "listed"),
    [
        ("4001234567", "hotline"), ("+864001234567", "hotline"), ("00864001234567", "hotline"),
        ("864001234567", "hotline"), ("04001234567", "hotline"), ("+86 400-123-4567", "hotline"),
        ("01088880301", "office"), ("+861088880301", "office"), ("1088880301", "office"), ("4001", "extension"),
        ("86100001", "local"), ("100001", None), ("400123456", None), ("", None), ("anonymous", None), ("+86", None),
        ("+4940088880301", None),
    ],
)  # fmt: skip
def test_a_dialled_number_is_known_however_the_carrier_writes_it(dialled: str, listed: str | None) -> None:
    table = {
        "*": "rest", "4001234567": "hotline", "+86 10 8888 0301": "office", "4001": "extension", "86100001": "local",
    }  # fmt: skip
    assert by_dialled(table, dialled) == listed


def test_places_read_as_people_write_them() -> None:
    assert str(Place("3", "2", "1102")) == "3号楼2单元1102室"
    assert Place("3", "2", "1102").en == "building 3, unit 2, room 1102"
    assert str(Place()) == ""
    assert Place("3", None, "1102").same_door(Place("3", "2", "1102"))
    assert not Place("3", "1", "1102").same_door(Place("3", "2", "1102"))
    assert not Place("3").same_door(Place("3"))


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("14000001101", "+8614000001101"), ("014000001101", "+8614000001101"), ("+86 140 0000 1101", "+8614000001101"),
        ("008614000001101", "+8614000001101"), ("010-88880301", "+861088880301"), ("88880301", "+861088880301"),
        ("(010) 8888 0301", "+861088880301"), ("110", "110"), ("12345", "12345"), ("211", "211"),
        ("+12125550123", "+12125550123"), ("anonymous", None), ("", None), (None, None),
        ("<script>alert(1)</script>", None), ("%3Cscript%3E", None), ("zhang.san", None), ("+", None), ("１３８", None),
        ("1" * 33, None), ("*21#", "*21#"),
    ],
)  # fmt: skip
def test_a_number_has_one_written_form(written: str | None, number: str | None) -> None:
    assert canonical(written, "10") == number
    assert canonical(canonical(written, "10"), "10") == number


def test_an_organisation_is_whole_or_not_built() -> None:
    for change, code in (
        ({"last_resort": "nobody"}, "organisation.unknown_person"),
        ({"ladder": ("P", "nobody")}, "organisation.unknown_person"),
        ({"area_managers": (AreaManager("east", "nobody"),)}, "organisation.unknown_person"),
        ({"departments": (Department("x", "x", "x", "nobody"),)}, "organisation.unknown_person"),
        ({"departments": ORGANISATION.departments * 2}, "organisation.duplicate_department"),
        ({"staff": ORGANISATION.staff * 2}, "organisation.duplicate_staff"),
    ):
        with pytest.raises(DomainError) as caught:
            replace(ORGANISATION, **change)
        assert caught.value.code == code


def test_a_circle_in_a_chain_is_not_built() -> None:
    staff = tuple(replace(s, reports_to="B") if s.id == "G" else s for s in ORGANISATION.staff)
    with pytest.raises(DomainError) as caught:
        replace(ORGANISATION, staff=staff)
    assert caught.value.code == "organisation.chain_loop"
    assert "→" in caught.value.message


def test_everybody_above() -> None:
    assert ORGANISATION.above("B") == ("C", "K", "G")
    assert ORGANISATION.above("G") == ()
    assert isinstance(ORGANISATION, Organisation)


def test_a_matter_of_what_was_understood() -> None:
    understood = Understanding(
        Label("message", 0.9), Label("message", 0.9), Label("normal", 0.5), Label("service", 0.9),
        SpokenPlace(Label("5", 0.9), room=Label("801", 0.9)), intents=(Label("resident_data", 0.8),),
    )  # fmt: skip
    matter = Matter.understood(understood)
    assert matter.place == Place("5", None, "801")
    assert matter.asks_resident_data
    assert matter.to_confirm
    assert not matter.needs_work


def test_an_empty_roster_is_a_gap_everywhere() -> None:
    assert Roster(()).gaps(OPERATOR, EVENING, MORNING) == (Gap(OPERATOR, EVENING, MORNING),)
    assert Roster(()).next_change(OPERATOR, EVENING) is None
