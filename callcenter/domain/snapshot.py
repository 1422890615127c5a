"""What a call needs to know, versioned, pushed to every line and kept on its disk (personal data: mode 0600).

With the last snapshot a call has its duty roster, repeat caller and known incident while the desk is away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from callcenter.domain import codec
from callcenter.domain.matters import SUPPLIES, Call, OpenMatter
from callcenter.domain.numbers import canonical
from callcenter.domain.places import Gazetteer, Place
from callcenter.domain.roster import Roster
from callcenter.domain.rules import Rules
from callcenter.domain.staff import Organisation
from callcenter.domain.taxonomy import Taxonomy
from callcenter.errors import DomainError

ROSTER_AHEAD = timedelta(hours=72)
"""How far ahead of its making a snapshot knows the roster."""
ROSTER_BEHIND = timedelta(hours=24)


@dataclass(frozen=True)
class KnownCaller:
    """Whose number it is. Never told to a caller (R10)."""

    household: str
    name: str
    place: Place


@dataclass(frozen=True)
class KnownIncident:
    """An incident in progress (R32). Empty `buildings`: the whole site where it is about SUPPLIES, else callers who
    named no building. Texts are what later callers hear."""

    id: str
    category: str
    buildings: tuple[str, ...]
    opened_at: datetime
    calls: int
    zh: str
    en: str = ""

    def touches(self, category: str, place: Place) -> bool:
        """Whether a matter of this category at this place belongs to it; a place not said does not."""
        if category != self.category:
            return False
        return place.building in self.buildings or (
            not self.buildings and (category in SUPPLIES or place.building is None)
        )


@dataclass(frozen=True)
class SiteSnapshot:
    """One site as a line needs it. Numbers of callers and open matters are in canonical form."""

    site: str
    organisation: Organisation
    roster: Roster
    rules: Rules
    gazetteer: Gazetteer
    taxonomy: Taxonomy
    area_code: str = ""
    """Area code without 0: completes local numbers (`numbers.canonical`)."""
    callers: Mapping[str, KnownCaller] = field(default_factory=dict)
    open_matters: tuple[OpenMatter, ...] = ()
    incidents: tuple[KnownIncident, ...] = ()
    phrases: Mapping[str, str] = field(default_factory=dict)
    """Prompt name → text that overrides the dialplan's own at this site."""

    @cached_property
    def _by_number(self) -> dict[str, tuple[OpenMatter, ...]]:
        found: dict[str, list[OpenMatter]] = {}
        for matter in self.open_matters:
            for number in matter.numbers:
                found.setdefault(number, []).append(matter)
        return {number: tuple(matters) for number, matters in found.items()}

    @cached_property
    def _by_household(self) -> dict[str, tuple[OpenMatter, ...]]:
        found: dict[str, list[OpenMatter]] = {}
        for matter in self.open_matters:
            if matter.household is not None:
                found.setdefault(matter.household, []).append(matter)
        return {household: tuple(matters) for household, matters in found.items()}

    def caller(self, number: str | None) -> KnownCaller | None:
        """Whose number this is; None for an unknown or withheld one."""
        plain = canonical(number, self.area_code)
        return self.callers.get(plain) if plain else None

    def call(self, number: str | None) -> Call:
        """The call as the rule sees it: number in canonical form and, if known, household."""
        known = self.caller(number)
        return Call(self.site, canonical(number, self.area_code), known.household if known else None)

    @cached_property
    def _by_door(self) -> dict[tuple[str | None, str | None], tuple[OpenMatter, ...]]:
        found: dict[tuple[str | None, str | None], list[OpenMatter]] = {}
        for matter in self.open_matters:
            if matter.place.complete:
                found.setdefault((matter.place.building, matter.place.room), []).append(matter)
        return {door: tuple(matters) for door, matters in found.items()}

    def open_for(self, call: Call, place: Place | None = None) -> tuple[OpenMatter, ...]:
        """Open matters of this number, household or door, newest first (R17): `decide`'s `open_matters`."""
        found = {m.ticket: m for m in self._by_number.get(call.number or "", ())}
        found |= {m.ticket: m for m in self._by_household.get(call.household or "", ())}
        if place is not None and place.complete:
            found |= {m.ticket: m for m in self._by_door.get((place.building, place.room), ())}
        return tuple(sorted(found.values(), key=lambda m: m.opened_at, reverse=True))

    def incident(self, category: str, place: Place) -> KnownIncident | None:
        """The known incident that a matter belongs to (R32)."""
        return next((i for i in self.incidents if i.touches(category, self.gazetteer.complete(place))), None)


@dataclass(frozen=True)
class Snapshot:
    """Everything a line knows. `version` grows by one with every change; a line never goes back."""

    version: int
    made_at: datetime
    sites: Mapping[str, SiteSnapshot]

    def site(self, site: str) -> SiteSnapshot:
        """One site. Raises DomainError `snapshot.unknown_site`."""
        try:
            return self.sites[site]
        except KeyError:
            raise DomainError(
                "snapshot.unknown_site", f"the snapshot has no site {site!r}", mend="check site.dialled and site.folder"
            ) from None


def to_json(snapshot: Snapshot) -> bytes:
    """One JSON object, UTF-8."""
    return codec.to_json(snapshot)


def from_json(text: bytes | str) -> Snapshot:
    """Read `to_json`'s output. Raises DomainError `codec.unreadable`, quoting none of it."""
    return codec.from_json(Snapshot, text)
