"""What a call is about, as the rule sees it, and the matters that are already open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from callcenter.domain.labels import RESIDENT, Understanding
from callcenter.domain.places import Place
from callcenter.domain.rules import EMERGENCY, NORMAL

WORK_KINDS = frozenset({"repair", "complaint", "help", "home_service"})
"""Kinds that become a work order (R9)."""
WATCHED_SOURCES = frozenset({"press", "authority", "mayor_hotline"})
"""Callers whose matters are major (R15) and singled out (R31): the press, an authority, 12345."""
SOURCES = (RESIDENT, *sorted(WATCHED_SOURCES))
"""Who may call."""
ASKS_AGAIN = frozenset({"enquiry", "complaint"})
"""Kinds in which people ask what became of a matter without naming it (怎么还没人来)."""
UNNAMED = "other"
"""Category of what named none."""
SUPPLIES = frozenset({"power", "water_supply", "gas", "heating"})
"""Categories of what comes to every building by one main."""
FOLLOW_UP_DUE = "follow_up_due"
"""State of a matter that is done, as far as we know: the caller has not been asked yet (R23)."""
NOTHING_SAID = "none"
"""Kind of a call without content: silence, hung up early, wrong number."""


@dataclass(frozen=True)
class Call:
    """What is known of who calls.

    `number` is canonical (`numbers.canonical`), None if withheld; `household` by the known numbers, or confirmed.
    """

    site: str
    number: str | None = None
    household: str | None = None


@dataclass(frozen=True)
class Matter:
    """One matter in the taxonomy's keys. `households`: how many it touches; `about`: a ticket number the caller named.

    `source` is resident, or one of WATCHED_SOURCES. `asks_resident_data`: R10 applies.
    """

    kind: str
    category: str
    urgency: str
    department: str
    place: Place = field(default_factory=Place)
    households: int = 1
    source: str = RESIDENT
    outside_body: str | None = None
    needs_investigation: bool = False
    asks_resident_data: bool = False
    to_confirm: bool = False
    call_back_at: datetime | None = None
    about: str | None = None

    @classmethod
    def understood(cls, understanding: Understanding, place: Place | None = None) -> Matter:
        """The matter of what was understood; `place` as completed by the gazetteer, else as spoken."""
        return cls(
            kind=understanding.kind.value,
            category=understanding.category.value,
            urgency=understanding.urgency.value,
            department=understanding.department.value,
            place=place or Place.spoken(understanding.place),
            source=understanding.source.value,
            asks_resident_data=understanding.intends("resident_data"),
            to_confirm=understanding.to_confirm,
        )

    @property
    def empty(self) -> bool:
        """Whether nothing was said."""
        return self.kind == NOTHING_SAID and self.urgency == NORMAL

    @property
    def needs_work(self) -> bool:
        """Whether it becomes a work order (R9)."""
        return not self.empty and (self.kind in WORK_KINDS or self.urgency == EMERGENCY)

    def says_undone(self, state: str) -> bool:
        """Whether this call, about a matter in `state` again, says that what was thought done is not (R17, R23).

        Asking what became of it, praise and silence do not; words that are not sure do only in danger.
        """
        sure = self.urgency == EMERGENCY or not self.to_confirm
        return state == FOLLOW_UP_DUE and self.needs_work and sure

    def major(self, more_households_than: int) -> bool:
        """Whether it is a major matter (R15)."""
        return self.urgency == EMERGENCY or self.source in WATCHED_SOURCES or self.households > more_households_than


@dataclass(frozen=True)
class OpenMatter:
    """A ticket that is not archived, as the snapshot carries it."""

    ticket: str
    kind: str
    category: str
    urgency: str
    department: str
    place: Place
    first_responder: str
    responsible: str
    state: str
    opened_at: datetime
    numbers: tuple[str, ...] = ()
    """Numbers that called about it, in canonical form."""
    household: str | None = None
    incident: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was said in it yet: the caller is to be rung back."""
        return self.kind == NOTHING_SAID and self.urgency == NORMAL

    def same_people(self, call: Call, place: Place) -> bool:
        """Whether the call comes from those who called before: by number, household or door (R17).

        Another door than before is another matter, even from the same number (a landlord's two flats).
        """
        if place.complete and self.place.complete:
            return self.place.same_door(place)
        if call.number is not None and call.number in self.numbers:
            return True
        return call.household is not None and call.household == self.household


def joined_matter(call: Call, matter: Matter, open_matters: Iterable[OpenMatter]) -> OpenMatter | None:
    """The open matter that this call is about again (R17), the newest if several; None for a new matter.

    It is the one whose number the caller named, or one of the same people with the same category. Calls that ask
    without naming what join the only open matter of those people if there is one. So do calls in which nothing was
    said, unless the same people said nothing before: then they join that, which waits for its call-back.
    """
    candidates = sorted(open_matters, key=lambda m: m.opened_at, reverse=True)
    if matter.about is not None:
        named = next((m for m in candidates if m.ticket == matter.about), None)
        if named is not None:
            return named
    ours = [m for m in candidates if m.same_people(call, matter.place)]
    told, silent = [m for m in ours if not m.empty], [m for m in ours if m.empty]
    if matter.empty and silent:
        return silent[0]
    if matter.empty or (matter.category == UNNAMED and matter.kind in ASKS_AGAIN):
        return told[0] if len(told) == 1 else None
    return next((m for m in told if m.category == matter.category), None)
