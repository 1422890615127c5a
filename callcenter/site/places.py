"""`places.yaml`: areas, buildings, units, rooms."""

from __future__ import annotations

from pathlib import Path

from callcenter.domain.places import Area, Building, Gazetteer, Unit
from callcenter.site.source import Node, optional_text, read


def _unit(name: str, node: Node) -> Unit:
    node.only("floors", "doors", "extra", "missing")
    extra, missing = node.find("extra"), node.find("missing")
    return Unit(
        name=name,
        floors=node.get("floors").whole(1),
        doors=node.get("doors").whole(1),
        extra=extra.texts() if extra is not None else (),
        missing=missing.texts() if missing is not None else (),
    )


def _names(key: str, node: Node) -> list[str]:
    """ "3" is building 3, "1-4" are the buildings 1 to 4."""
    first, dash, last = key.partition("-")
    if not dash:
        return [key]
    if not (first.isdigit() and last.isdigit() and int(first) <= int(last)):
        raise node.error("range", f"{key!r} is no range of buildings", 'write it as "1-4"')
    return [str(n) for n in range(int(first), int(last) + 1)]


def load_places(path: Path, site: str) -> Gazetteer:
    """Read `places.yaml`."""
    node = read(path).only("areas", "buildings", "public_places")
    areas: dict[str, Area] = {}
    for key, child in node.get("areas").items():
        child.only("zh", "en")
        areas[key] = Area(key, child.get("zh").text(), optional_text(child, "en", key))
    buildings: dict[str, Building] = {}
    taken: set[str] = set()
    for key, child in node.get("buildings").items():
        child.only("area", "units", "aliases")
        area = child.get("area")
        if area.text() not in areas:
            raise area.error("unknown_area", f"no area {area.text()!r}", f"use one of {', '.join(areas)}")
        units = tuple(_unit(name, unit) for name, unit in child.get("units").items())
        if not units:
            raise child.get("units").error("no_units", "a building needs a unit", 'add `"1": {floors: …, doors: …}`')
        aliases = child.find("aliases")
        for name in _names(key, child):
            other = aliases.texts() if aliases is not None else ()
            if double := {name, *other} & taken:
                raise child.error("duplicate", f"building {min(double)!r} is listed twice", "leave one of them out")
            taken |= {name, *other}
            buildings[name] = Building(name, area.text(), units, other)
    public = node.find("public_places")
    return Gazetteer(
        site, tuple(areas.values()), tuple(buildings.values()), public.texts() if public is not None else ()
    )
