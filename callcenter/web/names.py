"""Names that people see, in their language: labels, people of ours, departments, states, clocks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from callcenter.desk.models import CallRow
from callcenter.desk.rung import REFUSED_BY_KEY
from callcenter.domain.deadlines import CLOCK_EN, CLOCK_ZH, Clock
from callcenter.domain.explain import Reason
from callcenter.domain.labels import SpokenPlace
from callcenter.domain.staff import Organisation
from callcenter.domain.taxonomy import Taxonomy
from callcenter.web.i18n import translate

WRITTEN_PLACE = re.compile(r"(?:(\w+)号楼)?(?:(\w+)单元)?(?:(\w+)室)?")


class NamedSite(Protocol):
    """What is needed of a site."""

    @property
    def organisation(self) -> Organisation: ...
    @property
    def taxonomy(self) -> Taxonomy: ...


@dataclass(frozen=True)
class Names:
    """Names of one site in one language. An unknown key is shown as it is: old records outlive the site's files."""

    site: NamedSite
    locale: str

    @property
    def zh(self) -> bool:
        """Whether the language is Chinese."""
        return self.locale == "zh_CN"

    def _label(self, labels: Mapping[str, Any], key: str | None) -> str:
        if not key:
            return ""
        found = labels.get(key)
        if found is None:
            return key.replace("_", " ")
        text: str = found.zh if self.zh else found.en
        return text if self.zh else text[:1].upper() + text[1:]

    def reason(self, said: str) -> str:
        """Why somebody refused: in their own words, or in ours where they pressed a key."""
        by_key_zh, by_key_en = REFUSED_BY_KEY
        return by_key_en if said == by_key_zh and not self.zh else said

    def kind(self, key: str | None) -> str:
        """报修"""
        return self._label(self.site.taxonomy.kinds, key)

    def category(self, key: str | None) -> str:
        """漏水爆管"""
        return self._label(self.site.taxonomy.categories, key)

    def urgency(self, key: str | None) -> str:
        """紧急"""
        return self._label(self.site.taxonomy.urgencies, key)

    def department(self, key: str | None) -> str:
        """工程部; also of departments that only the organisation knows."""
        if key and self.site.organisation.has_department(key):
            ours = self.site.organisation.department(key)
            return ours.zh if self.zh else ours.en
        return self._label(self.site.taxonomy.departments, key)

    def outside_body(self, key: str | None) -> str:
        """供电公司: whom a matter was passed on to (R5)."""
        found = next((b for b in self.site.organisation.outside_bodies if b.id == key), None)
        if found is None:
            return (key or "").replace("_", " ")
        return found.zh if self.zh else found.en

    def label(self, group: str, key: str | None) -> str:
        """The name of a label of any group: kind, category, urgency, department."""
        return {"kind": self.kind, "category": self.category, "urgency": self.urgency, "department": self.department}[
            group
        ](key)

    def staff(self, person: str | None) -> str:
        """A person of ours by id: 王芳."""
        if not person:
            return ""
        if not self.site.organisation.knows(person):
            return person.replace("_", " ").title()
        known = self.site.organisation.person(person)
        return known.name if self.zh else known.name_en or known.name

    def actor(self, actor: str | None) -> str:
        """Who did something: a person of ours, an account without one, or the house itself."""
        if not actor:
            return translate(self.locale, "The house")
        if actor.startswith("account:"):
            return translate(self.locale, "An administrator")
        return self.staff(actor)

    def title(self, person: str | None) -> str:
        """What they are: 客服专员."""
        if not person or not self.site.organisation.knows(person):
            return ""
        known = self.site.organisation.person(person)
        return known.title if self.zh else known.title_en or known.title

    def face(self, person: str | None) -> str:
        """One letter for a round: the family name, or the initial."""
        return self.staff(person)[:1]

    def role(self, role: str) -> str:
        """A role of the roster: 值班员, 带班领导, or a department's person on duty."""
        return {"operator": translate(self.locale, "Operator"), "leader": translate(self.locale, "Duty leader")}.get(
            role
        ) or self.department(role)

    def contact(self, name: str) -> str:
        """An emergency contact of the site's files, 公安, by its English name where it is one that every site has."""
        known = translate(self.locale, f"contact:{name}")
        return name if known == f"contact:{name}" else known

    def clock(self, clock: str) -> str:
        """What is due: 答复来电人."""
        try:
            known = Clock(clock)
        except ValueError:
            return clock
        text = CLOCK_ZH[known] if self.zh else CLOCK_EN[known]
        return text if self.zh else text[:1].upper() + text[1:]

    def place(self, building: str | None, unit: str | None, room: str | None, text: str = "") -> str:
        """3号楼2单元1102室; in English Building 3, unit 2, room 1102; else as written."""
        if self.zh or not (building or unit or room):
            parts = ((building, "号楼"), (unit, "单元"), (room, "室"))
            return text or "".join(f"{value}{suffix}" for value, suffix in parts if value)
        return ", ".join(
            translate(self.locale, form, n=value)
            for value, form in ((building, "Building %(n)s"), (unit, "unit %(n)s"), (room, "room %(n)s"))
            if value
        )

    def sentence(self, reason: Reason) -> str:
        """The reason's sentence in this language."""
        return reason.zh if self.zh else reason.en or reason.zh

    def spoken_place(self, place: SpokenPlace) -> str:
        """The place that was understood."""
        return self.place(place.building.value, place.unit.value, place.room.value)

    def household(self, key: str | None) -> str:
        """A household by its key, "3-2-1102"."""
        parts = (key or "").split("-")
        return self.place(parts[0], parts[1], parts[2]) if len(parts) == 3 else key or ""

    def caller(self, call: CallRow, number: str | None) -> str:
        """Who calls: by name, by the home that was told or is known, else by `number`, as far as it may be shown."""
        told = self.spoken_place(call.labels.place) if call.labels else ""
        return call.caller_name or told or self.household(call.household) or number or translate(
            self.locale, "withheld number"
        )

    def written_place(self, text: str) -> str:
        """A written place, 3号楼2单元1102室, in this language."""
        found = None if self.zh else WRITTEN_PLACE.fullmatch(text)
        return self.place(found[1], found[2], found[3], text) if found else text

    @property
    def site_name(self) -> str:
        """幸福小区物业服务中心"""
        ours = self.site.organisation
        return ours.name if self.zh else ours.name_en or ours.name
