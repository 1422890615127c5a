"""The site's places: site → area → building → unit → room, and how people write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from callcenter.domain.labels import SpokenPlace


@dataclass(frozen=True)
class Place:
    """A place in figures: building "3", unit "2", room "1102". None: not said or not there."""

    building: str | None = None
    unit: str | None = None
    room: str | None = None
    area: str | None = None

    @classmethod
    def spoken(cls, place: SpokenPlace) -> Place:
        """What was understood, without its confidence."""
        return cls(building=place.building.value, unit=place.unit.value, room=place.room.value)

    def __str__(self) -> str:
        """Written form, "3号楼2单元1102室"; "" when nothing is known."""
        parts = ((self.building, "号楼"), (self.unit, "单元"), (self.room, "室"))
        return "".join(f"{value}{suffix}" for value, suffix in parts if value)

    @property
    def en(self) -> str:
        """Written form in English, "building 3, unit 2, room 1102"."""
        parts = (("building", self.building), ("unit", self.unit), ("room", self.room))
        return ", ".join(f"{name} {value}" for name, value in parts if value)

    @property
    def complete(self) -> bool:
        """Whether it names one door."""
        return bool(self.building and self.room)

    def same_door(self, other: Place) -> bool:
        """Whether both name one door; a unit that one of them leaves out does not part them."""
        if not (self.complete and other.complete):
            return False
        units_agree = self.unit is None or other.unit is None or self.unit == other.unit
        return (self.building, self.room) == (other.building, other.room) and units_agree


@dataclass(frozen=True)
class Unit:
    """One stairwell: `doors` rooms on each of `floors` floors, named floor + two figures (1102)."""

    name: str
    floors: int
    doors: int
    extra: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def has_room(self, room: str) -> bool:
        """Whether the room exists here."""
        if room in self.extra:
            return True
        if room in self.missing or not room.isascii() or not room.isdigit() or len(room) < 3:
            return False
        floor, door = int(room[:-2]), int(room[-2:])
        return 1 <= floor <= self.floors and 1 <= door <= self.doors and room == f"{floor}{door:02d}"

    def rooms(self) -> tuple[str, ...]:
        """Every room's name, lowest first."""
        pattern = (f"{f}{d:02d}" for f in range(1, self.floors + 1) for d in range(1, self.doors + 1))
        return (*(r for r in pattern if r not in self.missing), *self.extra)


@dataclass(frozen=True)
class Building:
    """One building; `aliases` are other names people use (幼儿园楼)."""

    name: str
    area: str
    units: tuple[Unit, ...]
    aliases: tuple[str, ...] = ()

    def unit(self, name: str) -> Unit | None:
        """The unit of that name."""
        return next((u for u in self.units if u.name == name), None)


@dataclass(frozen=True)
class Area:
    """片区, with its name for people."""

    id: str
    zh: str
    en: str = ""


@dataclass(frozen=True)
class Gazetteer:
    """Every place of one site."""

    site: str
    areas: tuple[Area, ...]
    buildings: tuple[Building, ...]
    public_places: tuple[str, ...] = field(default=())
    """Names of places that are nobody's home: 东门, 地下车库."""

    @cached_property
    def _buildings(self) -> dict[str, Building]:
        named = {b.name: b for b in self.buildings}
        return {alias: b for b in self.buildings for alias in b.aliases} | named

    def building(self, name: str) -> Building | None:
        """The building of that name or alias."""
        return self._buildings.get(name)

    def knows(self, building: str | None, unit: str | None = None, room: str | None = None) -> bool:
        """Whether every part given exists and belongs to the part before it. False when nothing is given."""
        if building is None:
            return False
        here = self.building(building)
        if here is None or (unit is not None and here.unit(unit) is None):
            return False
        if room is None:
            return True
        units = here.units if unit is None else tuple(u for u in here.units if u.name == unit)
        return any(u.has_room(room) for u in units)

    def lacks(self, place: Place) -> bool:
        """Whether it names a building, unit or room that is not here; never where no buildings are listed."""
        return bool(self.buildings and place.building) and not self.knows(place.building, place.unit, place.room)

    def door(self, figures: str, building: str | None = None) -> Place | None:
        """The one door these figures name in a row: "321102", or "21102" of building 3, is 3-2-1102.

        A unit may be left out where one alone has that room. None where no door is meant, or more than one may be.
        """
        here = self.building(building) if building is not None else None
        found: set[tuple[str, str, str]] = set()
        for one in self.buildings if building is None else [here] if here else []:
            if building is None and not figures.startswith(one.name):
                continue
            rest = figures if building is not None else figures[len(one.name) :]
            found |= {(one.name, u.name, rest) for u in one.units if u.has_room(rest)}
            found |= {
                (one.name, u.name, rest[len(u.name) :])
                for u in one.units
                if rest.startswith(u.name) and u.has_room(rest[len(u.name) :])
            }
        return Place(*found.pop()) if len(found) == 1 else None

    def complete(self, place: Place) -> Place:
        """Fill in what follows from the rest: the area, and the unit where only one has that room.

        A part that does not exist here is left as it was given.
        """
        here = self.building(place.building) if place.building else None
        if here is None:
            return place
        unit = place.unit
        if unit is None and len(here.units) == 1:
            unit = here.units[0].name
        elif unit is None and place.room is not None:
            having = [u.name for u in here.units if u.has_room(place.room)]
            unit = having[0] if len(having) == 1 else None
        return Place(here.name, unit, place.room, here.area)
