"""A site's files: the example is whole on any date; what is wrong is told with file, line, field and mend."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from callcenter.config import ROOT
from callcenter.domain import codec
from callcenter.domain.places import Place
from callcenter.domain.roster import LEADER, OPERATOR
from callcenter.domain.snapshot import Snapshot, from_json, to_json
from callcenter.errors import ConfigError
from callcenter.site.load import load_site, load_sites

EXAMPLE = ROOT / "config" / "sites" / "xingfu"
SATURDAY = datetime(2026, 11, 21, 12, 10, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "xingfu"
    shutil.copytree(EXAMPLE, copy)
    return copy


def _change(file: Path, old: str, new: str) -> int:
    """Replace one place of a file; the line it stands in."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_example_is_whole() -> None:
    site = load_site(EXAMPLE, at=SATURDAY)
    assert site.warnings == ()
    assert site.organisation.name == "幸福小区物业服务中心"
    assert [d.id for d in site.organisation.departments if d.id in site.taxonomy.departments] == [
        "service", "engineering", "security", "environment", "finance",
    ]  # fmt: skip
    assert [b.name for b in site.gazetteer.buildings] == [str(n) for n in range(1, 13)]
    assert all(site.organisation.person(p.id).number for p in site.organisation.staff)


@pytest.mark.parametrize("year", [2026, 2027, 2029, 2033])
def test_somebody_is_on_duty_on_any_date(year: int) -> None:
    start = datetime(year, 1, 1, tzinfo=UTC)
    site = load_site(EXAMPLE, at=start)
    assert site.gaps(start, start + timedelta(days=370)) == ()
    roster = site.roster(start, start + timedelta(days=3))
    assert {roster.on_duty(role, start) for role in (OPERATOR, LEADER, "engineering", "security")} >= {
        roster.on_duty(OPERATOR, start)
    }
    assert roster.on_duty("engineering", start + timedelta(hours=20)) is not None


def test_nobody_works_two_shifts_in_a_row_as_operator() -> None:
    site = load_site(EXAMPLE, at=SATURDAY)
    shifts = sorted(
        (s for s in site.roster(SATURDAY, SATURDAY + timedelta(days=60)).shifts if s.role == OPERATOR),
        key=lambda s: s.starts_at,
    )
    assert all(one.staff != after.staff for one, after in pairwise(shifts))


def test_holidays_have_their_own_turn() -> None:
    site = load_site(EXAMPLE, at=SATURDAY)
    national_day = site.rules_at(datetime(2026, 10, 1, tzinfo=UTC)).calendar.at(
        datetime(2026, 10, 1, tzinfo=UTC).date(), datetime(2026, 1, 1, 12, tzinfo=UTC).time()
    )
    on_duty = site.roster(national_day, national_day + timedelta(hours=1))
    assert on_duty.on_duty(LEADER, national_day) in {"zhou_jianguo", "he_min", "ma_qiang", "guo_yong"}
    assert on_duty.on_duty("finance", national_day) is None
    assert on_duty.on_duty(OPERATOR, national_day) == "liu_yang"


def test_absence_of_the_file_is_stood_in_for() -> None:
    site = load_site(EXAMPLE, at=SATURDAY)
    spring = datetime(2026, 2, 17, 4, tzinfo=UTC)
    days = [spring + timedelta(days=n) for n in range(3)]
    roster = site.roster(spring, days[-1] + timedelta(hours=1))
    assert "wu_gang" not in {roster.on_duty("engineering", d) for d in days}
    assert all(roster.on_duty("engineering", d) for d in days)


def test_make_up_workdays_are_worked() -> None:
    calendar = load_site(EXAMPLE, at=SATURDAY).rules.calendar
    assert calendar.is_workday(datetime(2026, 10, 10, tzinfo=UTC).date())
    assert not calendar.is_workday(datetime(2026, 10, 7, tzinfo=UTC).date())
    assert not calendar.is_workday(datetime(2026, 11, 21, tzinfo=UTC).date())


def test_a_caller_is_known_however_the_network_writes_the_number() -> None:
    snapshot = load_site(EXAMPLE, at=SATURDAY).snapshot(SATURDAY)
    for number in ("010-88880301", "88880301", "+861088880301", "008610 8888 0301"):
        call = snapshot.call(number)
        assert call.household == "2-1-301"
    assert snapshot.call("anonymous").number is None
    assert snapshot.call("14000009998").household is None


def test_the_snapshot_survives_its_way_to_a_line() -> None:
    snapshot = Snapshot(7, SATURDAY, {"xingfu": load_site(EXAMPLE, at=SATURDAY).snapshot(SATURDAY)})
    assert from_json(to_json(snapshot)) == snapshot
    assert codec.from_plain(Snapshot, codec.to_plain(snapshot)) == snapshot
    site = snapshot.site("xingfu")
    assert site.gazetteer.complete(Place("5", None, "801")) == Place("5", "1", "801", "east")
    roster = site.roster
    assert all(roster.on_duty(OPERATOR, SATURDAY + timedelta(hours=h)) for h in range(72))


def test_every_site_of_the_folder_is_loaded() -> None:
    assert set(load_sites(ROOT / "config" / "sites", at=SATURDAY)) == {"xingfu"}


CLOSED = [(date(2026, 12, 1) + timedelta(days=n)).isoformat() for n in range(75)]
WRONG = [
    ("organisation", "last_resort: zheng_lan ", "#", "no_last_resort", "", False),
    ("organisation", "office: sun_li  ", "office: sun_lee  ", "unknown_person", "office", True),
    ("organisation", "{manager: xu_min}", "{manager: nobody}",
     "unknown_person", "departments.finance.manager", True),
    ("organisation", "{manager: xu_min}", "{manger: xu_min}", "unknown_key", "departments.finance.manger", True),
    ("organisation", "  finance: {manager: xu_min}\n", "", "unknown_department", "staff.22.department", False),
    ("organisation", 'mobile: "14000000242"', 'mobile: "14000000241"', "duplicate", "staff.21.mobile", True),
    ("organisation", 'mobile: "14000000242"', 'mobile: "140 0000 0241"', "duplicate", "staff.21.mobile", True),
    ("organisation", 'mobile: "14000000242"', 'mobile: "ask him"', "number", "staff.21.mobile", True),
    ("organisation", 'extension: "223"', 'extension: "22e"', "number", "staff.13.extension", True),
    ("organisation", "{id: shen_jie,", "{id: xu_min,", "duplicate", "staff.23.id", True),
    ("organisation", 'mobile: "14000000221", reports_to: zhou_jianguo', 'mobile: "14000000221", reports_to: gao_feng',
     "chain_loop", "reports_to", False),
    ("organisation", ", he_min, zhou_jianguo]", ", he_min]", "ladder", "ladder", True),
    ("organisation", "  west: han_yue", "  north: han_yue", "unknown_area", "area_managers.north", True),
    ("roster", "      - {day: shen_jie}", "      - {day: shen_jee}",
     "unknown_person", "turns.finance.turn.1.day", True),
    ("roster", "  leader:  ", "  leder:  ", "unknown_role", "turns.leder", False),
    ("roster", "shift: day, staff: liu_yang", "shift: noon, staff: liu_yang",
     "unknown_shift", "exceptions.1.shift", True),
    ("roster", 'until: "2026-02-24 08:30"', 'until: "2026-02-14 08:30"', "absence", "absences.1.until", True),
    ("roster", 'evening: {zh: 中班, from: "16:30"', 'evening: {zh: 中班, from: "25:30"', "not_a_time",
     "shifts.evening.from", True),
    ("places", "    area: west\n    aliases", "    area: wets\n    aliases",
     "unknown_area", "buildings.12.area", True),
    ("places", '"1-4":', '"1-5":', "duplicate", "buildings.5", False),
    ("places", "{floors: 11, doors: 4}", "{floors: none, doors: 4}",
     "not_a_number", "buildings.5.units.1.floors", True),
    ("households", 'building: "12", unit: "1", room: "2708"', 'building: "12", unit: "1", room: "2799"',
     "unknown_place", "households.11.place", True),
    ("households", '"14000002709"', '"14000002708"', "duplicate", "households.11.people.2.numbers.1", True),
    ("calendar", "zone: Asia/Shanghai", "zone: Asia/Shanghia", "unknown_zone", "zone", True),
    ("calendar", 'closes: "17:30"', 'closes: "07:30"', "hours", "closes", True),
    ("calendar", "holidays: CN", "holidays: Chian", "unknown_country", "holidays", True),
    ("calendar", "weekdays: [mon,", "weekdays: [monday,", "unknown_weekday", "weekdays.1", True),
    ("calendar", "days_off: []", f"days_off: [{', '.join(CLOSED)}]", "long_break", "days_off", True),
    ("places", "areas:\n", "areas:\n  x: [\n", "syntax", "", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "field", "same_line"), WRONG, ids=[f"{w[0]}-{w[3]}" for w in WRONG]
)
def test_a_mistake_is_told_with_its_place_and_mend(
    folder: Path, file: str, old: str, new: str, code: str, field: str, same_line: bool
) -> None:
    path = folder / f"{file}.yaml"
    line = _change(path, old, new)
    with pytest.raises(ConfigError) as caught:
        load_site(folder, at=SATURDAY)
    error = caught.value
    assert error.code == f"site.{code}"
    assert error.where is not None
    assert error.where.startswith(str(folder))
    assert error.where.rpartition(": ")[2].endswith(field)
    assert error.mend
    if same_line:
        shift = old[: len(old) - len(old.lstrip("\n"))].count("\n")
        assert error.where.startswith(f"{path}:{line + shift}")


@pytest.mark.parametrize("written", ["+86 140-0000-0223", "+8614000000223", "0086 140 0000 0223", "140-0000-0223"])
def test_a_persons_mobile_is_dialled_however_it_is_written(folder: Path, written: str) -> None:
    _change(folder / "organisation.yaml", 'mobile: "14000000223"', f'mobile: "{written}"')
    assert load_site(folder, at=SATURDAY).organisation.person("gao_feng").mobile == "14000000223"


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "roster.yaml").unlink()
    with pytest.raises(ConfigError) as caught:
        load_site(folder)
    assert caught.value.code == "site.unreadable"
    assert caught.value.where == str(folder / "roster.yaml")


def test_a_circle_is_shown_whole(folder: Path) -> None:
    _change(folder / "organisation.yaml", 'mobile: "14000000221", reports_to: zhou_jianguo',
            'mobile: "14000000221", reports_to: gao_feng')  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        load_site(folder)
    assert "ma_qiang → gao_feng → lin_tao → ma_qiang" in caught.value.message


def test_a_gap_is_a_warning_that_names_the_hours_and_who_answers(folder: Path) -> None:
    _change(
        folder / "roster.yaml", "absences:\n",
        'absences:\n  - {staff: liu_yang, from: "2026-11-22 08:30", until: "2026-11-22 16:30", reason: 病假}\n',
    )  # fmt: skip
    (warning,) = load_site(folder, at=SATURDAY).warnings
    assert "2026-11-22 08:30 – 2026-11-22 16:30" in warning
    assert "郑岚" in warning
    assert "last resort" in warning


def test_somebody_who_cannot_be_rung_is_a_warning(folder: Path) -> None:
    _change(folder / "organisation.yaml", '     extension: "225", mobile: "14000000225", reports_to', "     reports_to")
    (warning,) = load_site(folder, at=SATURDAY).warnings
    assert "钱斌" in warning
    assert "no number to ring" in warning


def test_somebody_who_has_left_is_no_longer_on_duty(folder: Path) -> None:
    _change(folder / "organisation.yaml", 'mobile: "14000000212",', 'mobile: "14000000212", active_until: 2026-11-20,')
    site = load_site(folder, at=SATURDAY)
    roster = site.roster(SATURDAY, SATURDAY + timedelta(days=20))
    assert all(s.staff != "liu_yang" for s in roster.shifts)
    assert site.warnings


def test_a_site_may_add_a_category(folder: Path) -> None:
    (folder / "taxonomy.yaml").write_text(
        "categories:\n  pool: {zh: 泳池, en: pool, department: environment}\n", encoding="utf-8"
    )
    assert load_site(folder).taxonomy.categories["pool"].department == "environment"


@pytest.mark.parametrize(
    ("file", "old", "new", "field", "written"),
    [
        ("roster.yaml", "{date: 2026-10-01", "{date: 2026-13-01", "exceptions.1.date", "2026-13-01"),
        (
            "roster.yaml",
            'from: "2026-02-16 08:30"',
            "from: 2026-02-30 08:30:00",
            "absences.1.from",
            "2026-02-30 08:30:00",
        ),
        ("calendar.yaml", "days_off: []", "days_off: [2026-02-30]", "days_off.1", "2026-02-30"),
    ],
)
def test_a_date_that_does_not_exist_is_told_with_its_line(
    folder: Path, file: str, old: str, new: str, field: str, written: str
) -> None:
    line = _change(folder / file, old, new)
    with pytest.raises(ConfigError, match=f"'{written}' is not a date") as caught:
        load_site(folder, at=SATURDAY)
    assert caught.value.where == f"{folder / file}:{line}: {field}"
    assert "2026-11-21" in str(caught.value.mend)


def test_shifts_that_overlap_are_warned_of(folder: Path) -> None:
    _change(folder / "roster.yaml", 'from: "16:30"', 'from: "15:30"')
    (warning,) = load_site(folder, at=SATURDAY).warnings
    assert "Shift evening begins at 15:30 while day runs until 16:30" in warning
    assert warning.startswith("operator, leader, engineering, security, environment: 中班")
