"""R32: alike matters within a short time become one incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from domain_house import EVENING, RULES

from callcenter.domain.incidents import Grouping, Incident, group, written_report
from callcenter.domain.matters import OpenMatter
from callcenter.domain.places import Place


def _matter(number: int, moment: datetime, category: str = "power", building: str | None = "6") -> OpenMatter:
    return OpenMatter(
        str(100000 + number),
        "repair",
        category,
        "important",
        "engineering",
        Place(building),
        "A",
        "A",
        "recorded",
        moment,
    )


def _many(count: int, apart: timedelta, incidents: tuple[Incident, ...] = ()) -> list[Grouping]:
    steps = []
    for number in range(count):
        moment = EVENING + number * apart
        grouping = group(incidents, _matter(number, moment), RULES, moment)
        incidents = grouping.incidents
        steps.append(grouping)
    return steps


def test_recognised_once_when_enough_have_called() -> None:
    steps = _many(12, timedelta(minutes=1))
    assert [s.recognised for s in steps] == [n == RULES.incident_calls - 1 for n in range(12)]
    assert [s.joined is not None for s in steps] == [n >= RULES.incident_calls - 1 for n in range(12)]
    assert [s.became_major for s in steps] == [n == RULES.major_households for n in range(12)]


def test_slow_calls_are_no_incident() -> None:
    assert not any(s.recognised for s in _many(20, timedelta(minutes=RULES.incident_window_min // 3)))


def test_other_buildings_and_categories_are_apart() -> None:
    incidents = _many(RULES.incident_calls, timedelta(minutes=1))[-1].incidents
    late = EVENING + timedelta(hours=3)
    assert group(incidents, _matter(50, late, building="2"), RULES, late).joined is None
    assert group(incidents, _matter(51, late, category="lift"), RULES, late).joined is None
    assert group(incidents, _matter(52, late), RULES, late).joined is not None, "open until it is closed"
    assert group(incidents, _matter(53, late, building=None), RULES, late).joined is not None, "no place was said"


def _from_buildings(
    buildings: list[str], category: str = "power", incidents: tuple[Incident, ...] = (), first: int = 0
) -> list[Grouping]:
    steps = []
    for number, building in enumerate(buildings, first):
        moment = EVENING + number * timedelta(minutes=1)
        steps.append(group(incidents, _matter(number, moment, category, building), RULES, moment))
        incidents = steps[-1].incidents
    return steps


def test_what_fails_in_every_building_is_one_incident_of_the_whole_site() -> None:
    steps = _from_buildings([str(n) for n in range(1, 13)])
    assert [s.recognised for s in steps] == [n == RULES.incident_site_calls - 1 for n in range(12)]
    assert [s.became_major for s in steps] == [n == RULES.major_households for n in range(12)]
    (incident,) = steps[-1].incidents
    assert (incident.building, incident.numbers) == (None, tuple(str(100000 + n) for n in range(12)))
    assert incident.known("全小区停电").touches("power", Place("40")), "later callers hear of it wherever they live"


def test_quarrels_in_every_building_have_nothing_to_do_with_each_other() -> None:
    assert not any(s.recognised for s in _from_buildings([str(n) for n in range(30)], category="noise"))


def test_a_quarrel_of_a_building_is_no_part_of_those_of_nowhere() -> None:
    """Five callers about noise named no place: who names one has a quarrel of their own, and hears of no other."""
    incidents: tuple[Incident, ...] = ()
    for number in range(RULES.incident_calls):
        incidents = group(incidents, _matter(number, EVENING, "noise", None), RULES, EVENING).incidents
    (nowhere,) = incidents
    assert nowhere.recognised_at is not None
    assert group(incidents, _matter(50, EVENING, "noise", "3"), RULES, EVENING).joined is None
    assert group(incidents, _matter(51, EVENING, "noise", None), RULES, EVENING).joined is not None
    known = nowhere.known("小区的噪音问题我们已经知道")
    assert (known.touches("noise", Place("3")), known.touches("noise", Place())) == (False, True)


def test_few_failures_in_few_buildings_are_no_incident() -> None:
    assert not any(s.recognised for s in _from_buildings(["1", "2", "3"] * 3))


def test_a_building_with_an_incident_of_its_own_keeps_it() -> None:
    first = _from_buildings(["6"] * RULES.incident_calls)
    steps = _from_buildings([str(n) for n in range(20, 30)], incidents=first[-1].incidents, first=10)
    assert steps[-1].recognised
    six, site = sorted(steps[-1].incidents, key=lambda i: i.building is None)
    assert (six.building, len(six.tickets), site.building, len(site.tickets)) == ("6", 5, None, 10)
    for building, theirs in (("6", six), ("20", site), ("99", site)):
        joined = _from_buildings([building], incidents=steps[-1].incidents, first=50)[0].joined
        assert joined is not None
        assert joined.id == theirs.id


def test_questions_about_fees_are_never_an_incident() -> None:
    incidents: tuple[Incident, ...] = ()
    for number in range(20):
        incidents = group(incidents, _matter(number, EVENING, category="fees"), RULES, EVENING).incidents
    assert incidents == ()


def test_a_closed_incident_takes_no_more_and_names_its_tickets() -> None:
    (incident,) = _many(6, timedelta(minutes=1))[-1].incidents
    closed = incident.close(EVENING + timedelta(hours=1))
    late = EVENING + timedelta(hours=2)
    after = group((closed,), _matter(60, late), RULES, late)
    assert after.joined is None
    assert closed.numbers == tuple(str(100000 + n) for n in range(6))


def test_the_same_ticket_counts_once() -> None:
    (incident,) = _many(5, timedelta(minutes=1))[-1].incidents
    again = group((incident,), _matter(2, EVENING), RULES, EVENING)
    assert again.incidents == (incident,)
    assert not again.recognised


def test_the_supervisor_reads_what_happened() -> None:
    (incident,) = _many(5, timedelta(minutes=1))[-1].incidents
    zh, en = written_report(incident, "停电跳闸", "power cut")
    assert "6号楼" in zh
    assert "5起停电跳闸" in zh
    assert "building 6" in en
    site_wide = replace(incident, building=None)
    assert site_wide.known("已知悉").buildings == ()
