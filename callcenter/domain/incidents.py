"""Alike matters within a short time become one incident (R32): by category, building and time window.

What comes to every building by one main (power, water, gas, heating) may fail in all of them, with few calls from each:
so many from the whole site are one incident as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from callcenter.domain.matters import SUPPLIES, OpenMatter
from callcenter.domain.rules import Rules
from callcenter.domain.snapshot import KnownIncident

NEVER_ALIKE = frozenset({"other", "staff", "message", "lost_found", "fees", "home_service", "parcel_visit", "medical"})
"""Categories whose matters have nothing to do with each other, however many there are."""


@dataclass(frozen=True)
class Incident:
    """Alike matters: a group in the making until `recognised_at`, then an incident until `closed_at`.

    `building` None: the whole site where it is about SUPPLIES, else callers who named no building. `tickets` with the
    moment each was opened, oldest first.
    """

    id: str
    site: str
    category: str
    building: str | None
    tickets: tuple[tuple[str, datetime], ...]
    recognised_at: datetime | None = None
    major_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """Its tickets: closing the incident closes or follows up all of them."""
        return tuple(ticket for ticket, _ in self.tickets)

    @property
    def opened_at(self) -> datetime:
        """When the first of its matters was opened."""
        return self.tickets[0][1]

    @property
    def open(self) -> bool:
        """Whether new matters may still belong to it."""
        return self.closed_at is None

    def known(self, zh: str, en: str = "") -> KnownIncident:
        """As later callers hear of it (snapshot)."""
        buildings = () if self.building is None else (self.building,)
        return KnownIncident(self.id, self.category, buildings, self.opened_at, len(self.tickets), zh, en)

    def close(self, at: datetime) -> Incident:
        """Over: repaired, or no incident after all."""
        return replace(self, closed_at=at)


@dataclass(frozen=True)
class Grouping:
    """All groups after one more matter; `joined` is the incident it belongs to, if it belongs to one.

    `recognised`: it has just become one, the supervisor is told in writing. `became_major`: it has just come to touch
    more households than the set number (R15).
    """

    incidents: tuple[Incident, ...]
    joined: Incident | None = None
    recognised: bool = False
    became_major: bool = False


def _belongs(incident: Incident, matter: OpenMatter, site: str) -> bool:
    if not incident.open or (incident.site, incident.category) != (site, matter.category):
        return False
    if incident.building == matter.place.building:
        return True
    if incident.recognised_at is None:
        return False
    return matter.place.building is None or (incident.building is None and matter.category in SUPPLIES)


def _nearest(incident: Incident, matter: OpenMatter) -> tuple[bool, bool]:
    """Orders what a matter may belong to: incidents before groups in the making, its own building before the site."""
    return incident.recognised_at is None, incident.building != matter.place.building


def group(
    incidents: Iterable[Incident], matter: OpenMatter, rules: Rules, at: datetime, site: str = "", new_id: str = ""
) -> Grouping:
    """Add a matter opened now to what is alike (R32).

    `new_id` names the group if one begins (default: after its first ticket). Groups that were not recognised within
    the window are forgotten; a recognised incident stays open until it is closed.
    """
    since = at - timedelta(minutes=rules.incident_window_min)
    kept = [fresh for incident in incidents if (fresh := _within(incident, since)) is not None]
    if matter.category in NEVER_ALIKE:
        return Grouping(tuple(kept))
    ours = sorted((i for i in kept if _belongs(i, matter, site)), key=lambda i: _nearest(i, matter))
    if ours and matter.ticket in ours[0].numbers:
        return Grouping(tuple(kept), ours[0] if ours[0].recognised_at else None)
    mark = (matter.ticket, matter.opened_at)
    if ours:
        grown = replace(ours[0], tickets=(*ours[0].tickets, mark))
    else:
        grown = Incident(new_id or f"i{matter.ticket}", site, matter.category, matter.place.building, (mark,))
    others = [i for i in kept if i.id != grown.id]
    now = _recognise(grown, rules, at)
    if now.recognised_at is None:
        now, others = _whole_site(now, others, rules, at)
    return Grouping(
        (*others, now),
        now if now.recognised_at is not None else None,
        recognised=now.recognised_at is not None and grown.recognised_at is None,
        became_major=now.major_at is not None and grown.major_at is None,
    )


def _whole_site(
    grown: Incident, others: list[Incident], rules: Rules, at: datetime
) -> tuple[Incident, list[Incident]]:
    """What has failed in the whole site: its groups in the making as one incident; else everything as it is."""
    if grown.category not in SUPPLIES:
        return grown, others
    alike = [i for i in others if (i.site, i.category, i.recognised_at) == (grown.site, grown.category, None)]
    tickets = sorted((mark for i in (grown, *alike) for mark in i.tickets), key=lambda mark: mark[1])
    if len(tickets) < rules.incident_site_calls:
        return grown, others
    incident = replace(grown, building=None, tickets=tuple(tickets), recognised_at=at)
    return _recognise(incident, rules, at), [i for i in others if i not in alike]


def _within(incident: Incident, since: datetime) -> Incident | None:
    """What is left of a group once old matters are forgotten; an incident forgets nothing."""
    if incident.recognised_at is not None:
        return incident
    left = tuple((ticket, opened) for ticket, opened in incident.tickets if opened >= since)
    return replace(incident, tickets=left) if left else None


def _recognise(incident: Incident, rules: Rules, at: datetime) -> Incident:
    count = len(incident.tickets)
    if incident.recognised_at is None and count >= rules.incident_calls:
        incident = replace(incident, recognised_at=at)
    if incident.recognised_at is not None and incident.major_at is None and count > rules.major_households:
        incident = replace(incident, major_at=at)
    return incident


def written_report(incident: Incident, category_zh: str, category_en: str) -> tuple[str, str]:
    """The sentence in which the supervisor is told, in both languages (R32)."""
    where_zh = f"{incident.building}号楼" if incident.building else "小区"
    where_en = f"building {incident.building}" if incident.building else "the site"
    count = len(incident.tickets)
    listed = incident.numbers
    zh = f"{where_zh}短时间内有{count}起{category_zh}来电，已并为同一事件，工单：{'、'.join(listed)}。"
    en = f"{count} calls about {category_en} in {where_en} are now one incident; tickets {', '.join(listed)}."
    return zh, en
