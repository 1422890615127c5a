"""`organisation.yaml`: the people, the departments and their chains."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from callcenter.domain.places import Gazetteer
from callcenter.domain.staff import AreaManager, Department, Organisation, OutsideBody, Staff
from callcenter.domain.taxonomy import Taxonomy
from callcenter.site.source import Node, optional_text, read

_FIELDS = (
    "site", "name", "area_code", "general_manager", "office", "last_resort", "ladder", "departments",
    "area_managers", "outside_bodies", "emergency_numbers", "staff",
)  # fmt: skip
_STAFF_FIELDS = (
    "id", "name", "name_en", "title", "title_en", "department", "extension", "mobile", "reports_to",
    "active_from", "active_until",
)  # fmt: skip


@dataclass(frozen=True)
class OrganisationSource:
    """The organisation and what else its file says."""

    organisation: Organisation
    area_code: str


def _day(node: Node, key: str) -> date | None:
    found = node.find(key)
    return found.day() if found is not None else None


def _number(node: Node) -> str:
    """A number as it is dialled: 138…, for "+86 138-0013-8000" too, or an extension."""
    plain = re.sub(r"[\s().-]", "", node.text())
    plain = re.sub(r"^(?:\+|00)86(?=1[3-9][0-9]{9}$)", "", plain)
    if not re.fullmatch(r"\+?[0-9]{2,20}", plain):
        raise node.error("number", f"{node.text()!r} is no number that can be dialled", "write figures, as 13800138000")
    return plain


def _staff(node: Node, departments: set[str]) -> tuple[tuple[Staff, ...], dict[str, Node]]:
    people: dict[str, Staff] = {}
    nodes: dict[str, Node] = {}
    numbers: dict[str, str] = {}
    for child in node.elements():
        child.only(*_STAFF_FIELDS)
        person = child.get("id")
        if person.text() in people:
            raise person.error("duplicate", f"two people have the id {person.text()!r}", "give one of them another id")
        department = child.get("department")
        if department.text() not in departments:
            raise department.error(
                "unknown_department",
                f"no department {department.text()!r}",
                f"use one of {', '.join(sorted(departments))}",
            )
        own: dict[str, str | None] = {}
        for key in ("extension", "mobile"):
            written = child.find(key)
            number = own[key] = _number(written) if written is not None and written.text() else None
            if written is None or number is None:
                continue
            if number in numbers:
                raise written.error(
                    "duplicate", f"{key} {number} is {numbers[number]}'s already", "give each their own"
                )
            numbers[number] = person.text()
        nodes[person.text()] = child
        people[person.text()] = Staff(
            id=person.text(),
            name=child.get("name").text(),
            title=child.get("title").text(),
            department=department.text(),
            name_en=optional_text(child, "name_en"),
            title_en=optional_text(child, "title_en"),
            extension=own["extension"],
            mobile=own["mobile"],
            reports_to=optional_text(child, "reports_to") or None,
            active_from=_day(child, "active_from"),
            active_until=_day(child, "active_until"),
        )
    return tuple(people.values()), nodes


def person_at(node: Node, known: set[str]) -> str:
    """The id of a person that `node` names, who must exist."""
    if node.text() not in known:
        raise node.error(
            "unknown_person", f"nobody has the id {node.text()!r}", "add the person under `staff` in organisation.yaml"
        )
    return node.text()


def _check_chains(people: tuple[Staff, ...], nodes: dict[str, Node], known: set[str]) -> None:
    above = {p.id: p.reports_to for p in people}
    for person in people:
        if person.reports_to is None:
            continue
        node = nodes[person.id].get("reports_to")
        person_at(node, known)
        path = [person.id]
        here: str | None = person.reports_to
        while here is not None and here in above:
            path.append(here)
            if here == person.id:
                raise node.error(
                    "chain_loop", "the chain goes in a circle: " + " → ".join(path),
                    "the chain must end with the general manager: take one `reports_to` out of the circle",
                )  # fmt: skip
            if path.count(here) > 1:
                break
            here = above[here]


def _people_of(node: Node | None, known: set[str]) -> tuple[str, ...]:
    return tuple(person_at(e, known) for e in node.elements()) if node is not None else ()


def _departments(node: Node, taxonomy: Taxonomy, known: set[str]) -> tuple[Department, ...]:
    found: list[Department] = []
    for key, child in node.items():
        child.only("zh", "en", "manager", "deputies")
        if key in ("operator", "leader"):
            raise child.error("reserved", f"{key!r} is a duty of its own", "give the department another id")
        name = taxonomy.departments.get(key)
        found.append(
            Department(
                id=key,
                zh=optional_text(child, "zh", name.zh if name else key),
                en=optional_text(child, "en", name.en if name else key),
                manager=person_at(child.get("manager"), known),
                deputies=_people_of(child.find("deputies"), known),
            )
        )
    missing = sorted({c.department for c in taxonomy.categories.values()} - {d.id for d in found})
    if missing:
        raise node.error(
            "department_missing", f"the taxonomy gives matters to {missing[0]!r}, which is not here",
            f"add `{missing[0]}:` with its manager",
        )  # fmt: skip
    return tuple(found)


def _area_managers(node: Node | None, gazetteer: Gazetteer, known: set[str]) -> tuple[AreaManager, ...]:
    found: list[AreaManager] = []
    for key, child in node.items() if node is not None else ():
        if key not in {a.id for a in gazetteer.areas}:
            raise child.error("unknown_area", f"no area {key!r}", "use an area of places.yaml")
        buildings = tuple(b.name for b in gazetteer.buildings if b.area == key)
        found.append(AreaManager(key, person_at(child, known), buildings))
    return tuple(found)


def load_organisation(path: Path, gazetteer_of: Gazetteer, taxonomy: Taxonomy) -> OrganisationSource:
    """Read `organisation.yaml`. Everybody named must exist, chains must end, the last resort must be there (R14)."""
    node = read(path).only(*_FIELDS)
    if node.find("last_resort") is None:
        raise node.error(
            "no_last_resort", "nobody is named as last resort: a gap in the roster would leave matters to no one",
            "add `last_resort: <id of a person>`",
        )  # fmt: skip
    departments = node.get("departments")
    staff, nodes = _staff(node.get("staff"), {key for key, _ in departments.items()})
    known = {p.id for p in staff}
    _check_chains(staff, nodes, known)
    for key in ("general_manager", "office", "last_resort"):
        person_at(node.get(key), known)
    ladder = node.get("ladder")
    general_manager = node.get("general_manager").text()
    rungs = _people_of(ladder, known)
    if not rungs or rungs[-1] != general_manager:
        raise ladder.error("ladder", "the ladder does not end with the general manager (R24)", "add them at its end")
    last = next(p for p in staff if p.id == node.get("last_resort").text())
    if last.number is None:
        raise nodes[last.id].error("no_number", "the last resort has no number to ring", "add a mobile or an extension")
    name = node.get("name").only("zh", "en")
    bodies = node.find("outside_bodies")
    outside = {key: OutsideBody(key, label.zh, label.en) for key, label in taxonomy.outside_bodies.items()}
    for key, child in bodies.items() if bodies is not None else ():
        if key not in outside:
            raise child.error("unknown_body", f"no outside body {key!r}", f"use one of {', '.join(outside)}")
        outside[key] = OutsideBody(key, outside[key].zh, outside[key].en, child.text())
    numbers = node.find("emergency_numbers")
    organisation = Organisation(
        site=node.get("site").text(),
        name=name.get("zh").text(),
        name_en=optional_text(name, "en", name.get("zh").text()),
        staff=staff,
        departments=_departments(departments, taxonomy, known),
        general_manager=general_manager,
        office=node.get("office").text(),
        last_resort=last.id,
        ladder=rungs,
        area_managers=_area_managers(node.find("area_managers"), gazetteer_of, known),
        outside_bodies=tuple(outside.values()),
        emergency_numbers={k: c.text() for k, c in numbers.items()} if numbers is not None else {},
    )
    return OrganisationSource(organisation, optional_text(node, "area_code"))
