"""Where a caller known by number means, when they do not say all of it: their own door fills in what they left out."""

from __future__ import annotations

from dataclasses import replace

from callcenter.domain.labels import Label, SpokenPlace, Understanding
from callcenter.domain.places import Place
from callcenter.domain.rules import EMERGENCY

AT_HOME = frozenset({"water_leak", "water_supply", "heating", "drain", "power", "house", "home_service", "renovation"})
"""Categories that lie in one flat, so that a room is needed; for the others a building or less will do."""

ANYWHERE = frozenset({"fees", "staff", "message", "other", "lost_found", "parcel_visit"})
"""Categories that need no place at all."""

REGISTERED = 0.9
"""Confidence of what is taken over from the register."""


def meant_place(said: Place, home: Place | None, category: str, *, emergency: bool) -> Place:
    """`said`, completed by the household's door where nothing that was said contradicts it."""
    if home is None:
        return said
    if said == Place() and category in ANYWHERE and not emergency:
        return said
    if said.building not in (None, home.building):
        return said
    if said.unit not in (None, home.unit):
        return replace(said, building=home.building)
    if said.building and not said.room and category not in AT_HOME:
        return said
    return replace(home, room=said.room or home.room)


def at_home(labels: Understanding, home: Place | None, name: str | None) -> Understanding:
    """Labels of a call whose caller could not be asked: place and name as the register has them for the number (R6)."""
    emergency = labels.urgency.value == EMERGENCY
    said = labels.place
    place = meant_place(Place.spoken(said), home, labels.category.value, emergency=emergency)

    def piece(value: str | None, heard: Label[str | None]) -> Label[str | None]:
        return heard if value in (None, heard.value) else Label(value, REGISTERED)

    return replace(
        labels,
        place=SpokenPlace(
            piece(place.building, said.building), piece(place.unit, said.unit), piece(place.room, said.room)
        ),
        name=labels.name if labels.name.value else piece(name, labels.name),
    )
