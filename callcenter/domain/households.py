"""Who lives where, and by which numbers they call."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.domain.places import Place


@dataclass(frozen=True)
class Person:
    """A resident. `numbers` in canonical form."""

    name: str
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class Household:
    """The people behind one door; calls from any of their numbers are calls of the household (R17)."""

    id: str
    place: Place
    people: tuple[Person, ...]
