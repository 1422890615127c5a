"""What a line finds in its snapshot: callers, open matters, incidents."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from domain_house import EVENING, MORNING, ORGANISATION, ROSTER, RULES, SITE, at

from callcenter.domain.incidents import Incident
from callcenter.domain.matters import Call, OpenMatter
from callcenter.domain.places import Area, Building, Gazetteer, Place, Unit
from callcenter.domain.snapshot import KnownCaller, SiteSnapshot, Snapshot, from_json, to_json
from callcenter.domain.taxonomy import Taxonomy
from callcenter.errors import DomainError

DOOR = Place("3", "2", "1102", "east")


def _matter(ticket: str, hours: int, **changes: object) -> OpenMatter:
    made = OpenMatter(
        ticket, "repair", "water_leak", "normal", "engineering", DOOR, "A", "A", "assigned",
        EVENING - timedelta(hours=hours), ("+8614000001101",), "h1",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


POWER = Incident("i1", SITE, "power", "3", (("100009", EVENING),))
SNAPSHOT = SiteSnapshot(
    SITE,
    ORGANISATION,
    ROSTER,
    RULES,
    Gazetteer(SITE, (Area("east", "东区"),), (Building("3", "east", (Unit("2", 18, 2),), ("幼儿园楼",)),)),
    Taxonomy({}, {}, {}, {}, {}),
    area_code="10",
    callers={"+8614000001101": KnownCaller("h1", "李女士", DOOR)},
    open_matters=(
        _matter("100001", 5),
        _matter("100002", 1, numbers=("+8614000001102",)),
        _matter("100003", 2, numbers=(), household=None),
        _matter("100004", 3, numbers=("+861",), household="h2", place=Place("3")),
    ),
    incidents=(POWER.known("3号楼停电，正在抢修。"),),
)


def test_open_matters_are_found_by_number_household_and_door_newest_first() -> None:
    call = SNAPSHOT.call("014000001101")
    assert call == Call(SITE, "+8614000001101", "h1")
    assert [m.ticket for m in SNAPSHOT.open_for(call)] == ["100002", "100001"]
    assert [m.ticket for m in SNAPSHOT.open_for(call, DOOR)] == ["100002", "100003", "100001"]
    assert [m.ticket for m in SNAPSHOT.open_for(SNAPSHOT.call("+861"))] == ["100004"]
    assert SNAPSHOT.open_for(SNAPSHOT.call("anonymous")) == ()
    assert [m.ticket for m in SNAPSHOT.open_for(SNAPSHOT.call(None), DOOR)] == ["100002", "100003", "100001"]


def test_a_known_incident_is_found_by_category_and_building() -> None:
    found = SNAPSHOT.incident("power", Place("幼儿园楼"))
    assert found is not None
    assert found.zh == "3号楼停电，正在抢修。"
    assert SNAPSHOT.incident("power", Place("4")) is None
    assert SNAPSHOT.incident("power", Place()) is None
    assert SNAPSHOT.incident("lift", Place("3")) is None


def test_a_whole_snapshot_is_written_and_read() -> None:
    whole = Snapshot(12, MORNING, {SITE: SNAPSHOT})
    assert from_json(to_json(whole)) == whole
    assert whole.site(SITE) is SNAPSHOT
    with pytest.raises(DomainError) as caught:
        whole.site("elsewhere")
    assert caught.value.code == "snapshot.unknown_site"


def test_a_torn_snapshot_is_refused_without_quoting_it() -> None:
    text = to_json(Snapshot(12, MORNING, {SITE: SNAPSHOT}))
    for torn in (text[:-20], text.replace(b'"household"', b'"house"'), b""):
        with pytest.raises(DomainError) as caught:
            from_json(torn)
        assert caught.value.code == "codec.unreadable"
        assert "李" not in str(caught.value)


def test_office_hours_of_the_site() -> None:
    calendar = SNAPSHOT.rules.calendar
    assert calendar.is_open(at(19, 8, 30))
    assert not calendar.is_open(at(19, 17, 30))
    assert not calendar.is_open(at(21, 12))
