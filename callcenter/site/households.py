"""`households.yaml`: residents and their numbers, for a site that keeps them in a file (else: resident import)."""

from __future__ import annotations

from pathlib import Path

from callcenter.domain.households import Household, Person
from callcenter.domain.numbers import canonical
from callcenter.domain.places import Gazetteer, Place
from callcenter.site.source import Node, read


def _place(node: Node, gazetteer: Gazetteer) -> Place:
    node.only("building", "unit", "room")
    parts = {key: child.text() for key, child in node.items()}
    place = Place(parts.get("building"), parts.get("unit"), parts.get("room"))
    if not gazetteer.knows(place.building, place.unit, place.room):
        raise node.error("unknown_place", f"{place} does not exist", "mend it, or add it to places.yaml")
    return gazetteer.complete(place)


def load_households(path: Path, gazetteer: Gazetteer, area_code: str) -> tuple[Household, ...]:
    """Read `households.yaml`; a site may go without one."""
    if not path.exists():
        return ()
    found: dict[str, Household] = {}
    numbers: dict[str, int] = {}
    node = read(path).only("households")
    for child in node.get("households").elements():
        child.only("place", "people")
        place = _place(child.get("place"), gazetteer)
        people: list[Person] = []
        for person in child.get("people").elements():
            person.only("name", "numbers")
            own: list[str] = []
            for element in person.get("numbers").elements():
                number = canonical(element.text(), area_code)
                if number is None:
                    raise element.error("no_number", "not a telephone number", "write its figures in quotes")
                if number in numbers:
                    raise element.error(
                        "duplicate", f"this number stands in line {numbers[number]} already", "give it to one person"
                    )
                numbers[number] = element.line
                own.append(number)
            people.append(Person(person.get("name").text(), tuple(own)))
        key = "-".join(part for part in (place.building, place.unit, place.room) if part)
        if key in found:
            raise child.error("duplicate", f"the household of {place} is listed twice", "make one entry of the two")
        found[key] = Household(key, place, tuple(people))
    return tuple(found.values())
