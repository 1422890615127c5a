"""The state of one talk: what was said, what is known, what was asked; and the words that fill in a prompt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from callcenter.dialplan import numbers
from callcenter.dialplan.answers import SURNAMES
from callcenter.dialplan.context import CallContext, Incident, OpenMatter
from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.phone import OpenedTicket
from callcenter.domain.homes import ANYWHERE, AT_HOME, meant_place
from callcenter.domain.labels import NOTHING, Label, SpokenPlace, Understanding
from callcenter.domain.places import Place
from callcenter.domain.understanding import understand_by_rules

UNCLEAR_BELOW = 0.2
"""Kind and category both less sure than this: not understood, asked again (R3)."""
PLACE_SURE = 0.4
"""A piece of a place less sure than this (the site has no such building) is asked for."""
_AND_ALSO = {
    "zh": re.compile(r"还有|另外|此外|第二|再一个|再就是|一个是|其次|顺便"),
    "en": re.compile(r"\b(?:also|another|secondly|besides|apart from that)\b", re.IGNORECASE),
}
"""Words that begin a second matter."""
_AGAIN_ZH = ("上次", "之前", "昨天", "前天", "催", "还没", "一直没", "再问", "报过", "打过", "什么时候来")
_AGAIN_EN = ("last time", "before", "yesterday", "again", "still", "already", "when will", "not come")


@dataclass
class Talk:
    """One talk under way; the interpreter alone changes it."""

    plan: Dialplan
    context: CallContext
    heard: list[str] = field(default_factory=list)
    """Everything the caller said, turn by turn."""
    matter: list[str] = field(default_factory=list)
    """The turns that tell the matter: what the labels are made from."""
    understanding: Understanding = NOTHING
    place: Place = field(default_factory=Place)
    """What the caller said of the place; the household's is in `known_place`."""
    name: str | None = None
    """What the caller said; the household's is in `known_name`."""
    phone: str | None = None
    answered: set[str] = field(default_factory=set)
    """Slots that the caller was asked for, or corrected."""
    asked: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)
    flags: set[str] = field(default_factory=set)
    steps: list[str] = field(default_factory=list)
    turn_intents: frozenset[str] = frozenset()
    ticket: OpenedTicket | None = None
    given: dict[str, str] = field(default_factory=dict)
    """What the script set on the ticket: kind, category, urgency, confirm, callback."""
    matter_joined: OpenMatter | None = None
    told_before_ticket: int | None = None
    """How many turns of `matter` were told when the ticket was opened; what comes later is told in addition."""
    turns: int = 0
    notice_given: bool = False
    goodbye_said: bool = False

    answers: dict[str, str] = field(default_factory=dict)
    """What a follow-up call was told: `solved` yes or no, `score` 1 to 5 (R23)."""

    def __post_init__(self) -> None:
        self.phone = self.context.caller_number
        self.matter_joined = self.context.about
        self.flags |= self.context.flags

    @property
    def matter_text(self) -> str:
        """The matter so far as one text."""
        return ("，" if self.plan.language == "zh" else ", ").join(self.matter)

    @property
    def emergency(self) -> bool:
        """Key 1 was pressed, or words of danger were said."""
        return "emergency" in self.flags or self.understanding.urgency.value == "emergency"

    @property
    def known_place(self) -> Place:
        """What was said, completed by the household of the number where nothing contradicts it."""
        home = None if "place_wrong" in self.flags else self.context.caller_place
        return meant_place(self.place, home, self.understanding.category.value, emergency=self.emergency)

    @property
    def known_name(self) -> str | None:
        """The name that was said, else that of the household, which is recorded but never said (R10)."""
        return self.name or (None if "name" in self.answered else self.context.caller_name)

    def missing(self, slot: str) -> bool:
        """Whether a piece that the matter needs is not known yet."""
        if slot == "name":
            return not self.known_name
        if slot == "phone":
            return not self.phone
        category = self.understanding.category.value
        place = self.known_place
        if self.emergency:
            return place.building is None
        if category in ANYWHERE and self.understanding.category.confidence >= 0.5:
            return False
        return not place.complete if category in AT_HOME else place.building is None

    def lacks(self, place: Place) -> bool:
        """Whether the site is known to have no such place."""
        gazetteer = self.context.gazetteer
        return gazetteer is not None and gazetteer.lacks(place)

    @property
    def unsure(self) -> bool:
        """Whether somebody has to listen before it goes on (待核实): to the labels, several matters, or the place."""
        return self.understanding.to_confirm or self.several or self.lacks(self.place)

    def has(self, slot: str) -> bool:
        """Whether a piece is known, needed or not."""
        return bool({"name": self.known_name, "phone": self.phone, "place": str(self.known_place)}[slot])

    def understand(self, understanding: Understanding) -> None:
        """Take over labels of the whole matter; what the caller answered when asked counts more than what it says."""
        self.understanding = understanding
        said = understanding.place
        if "place" not in self.answered:
            self.place = Place(
                _sure(said.building) or self.place.building,
                _sure(said.unit) or self.place.unit,
                _sure(said.room) or self.place.room,
            )
        if understanding.name.value and "name" not in self.answered:
            self.name = understanding.name.value
        if understanding.phone.value and "phone" not in self.answered:
            self.phone = understanding.phone.value

    @property
    def unclear(self) -> bool:
        """Whether nothing was understood of the matter."""
        labels = self.understanding
        unsure = labels.kind.confidence < UNCLEAR_BELOW and labels.category.confidence < UNCLEAR_BELOW
        return not self.matter_text or labels.kind.value == "none" or unsure

    @property
    def several(self) -> bool:
        """Whether matters of more than one department were told: somebody must hear them, so that none is lost (R5)."""
        if self.emergency:
            return False
        language, told = self.plan.language, self.told_before_ticket
        comma = "，" if language == "zh" else ", "
        pieces = [*_AND_ALSO[language].split(comma.join(self.matter[:told])), *(self.matter[told:] if told else ())]
        found = (understand_by_rules(piece, language, self.context.gazetteer) for piece in pieces if piece)
        sure = {it.department.value for it in found if it.category.value != "other" and it.category.confidence >= 0.6}
        return len(sure) > 1

    @property
    def repeats(self) -> OpenMatter | None:
        """The open matter that this call is about: same category, or words of a repeat caller (R17)."""
        if not self.matter:
            return None
        for matter in self.context.open_matters:
            if matter.category == self.understanding.category.value:
                return matter
        cues = _AGAIN_ZH if self.plan.language == "zh" else _AGAIN_EN
        if len(self.context.open_matters) == 1 and any(cue in self.matter_text.lower() for cue in cues):
            vague = self.understanding.category.value == "other" or self.understanding.category.confidence < 0.6
            return self.context.open_matters[0] if vague else None
        return None

    @property
    def incident(self) -> Incident | None:
        """The known incident that this matter belongs to (R32)."""
        place = self.known_place
        for incident in self.context.incidents:
            same = incident.category == self.understanding.category.value
            if same and (incident.building is None or place.building in (None, incident.building)):
                return incident
        return None

    def final_understanding(self) -> Understanding:
        """Labels for the ticket: what was understood, with what was asked and answered, and what the script set.

        A kind set together with a category stands; a kind alone only where none was understood.
        """
        labels, place, said, given = self.understanding, self.known_place, self.understanding.place, self.given

        def piece(value: str | None, heard: Label[str | None]) -> Label[str | None]:
            return heard if value == heard.value else Label(value, 0.9 if value else 0.0)

        set_kind = "kind" in given and ("category" in given or labels.kind.value == "none")
        return replace(
            labels,
            kind=Label(given["kind"], 1.0) if set_kind else labels.kind,
            category=Label(given["category"], 1.0) if "category" in given else labels.category,
            urgency=Label(given["urgency"], 1.0) if "urgency" in given else labels.urgency,
            place=SpokenPlace(
                piece(place.building, said.building), piece(place.unit, said.unit), piece(place.room, said.room)
            ),
            name=piece(self.known_name, labels.name),
            phone=piece(self.phone, labels.phone),
        )

    def fields(self) -> dict[str, Any]:
        """Fields of the record (R6): what is known, what is missing, and what was promised."""
        out: dict[str, Any] = {
            "text": self.matter_text,
            "place": str(self.known_place),
            "name": self.known_name,
            "phone": self.phone,
            "missing": [slot for slot in ("place", "name", "phone") if self.missing(slot)],
        }
        if joins := self.matter_joined:
            out["joins"] = joins.number
        if incident := self.incident:
            out["incident"] = incident.category
        if "confirm" in self.given or self.unclear or self.several:
            out["confirm"] = True
        if "callback" in self.given:
            out["callback_by"] = self.context.callback_by.isoformat()
        if "objected" in self.flags:
            out["objected"] = True
        return out

    def words(self, variable: str) -> list[str]:
        """The words of a `{variable}`; empty when there is nothing to say."""
        return VARIABLES[variable][1](self) if variable in VARIABLES else []

    def label(self, table: str, key: str) -> list[str]:
        """How a label is said: the prompt `<table>_<key>`; its key where there is none."""
        prompt = self.plan.prompts.prompts.get(f"{table}_{key}")
        return [prompt.text] if prompt else [key]

    def by(self, moment: datetime) -> list[str]:
        """A deadline, said as the full five minutes before it: what is promised is kept (R22)."""
        now = self.context.local_now
        local = moment.astimezone(now.tzinfo).replace(second=0, microsecond=0)
        earlier = local - timedelta(minutes=local.minute % 5)
        local = earlier if earlier > now else local
        return numbers.deadline(local, now, self.plan.language)

    @property
    def known_matter(self) -> OpenMatter | None:
        """The open matter that is spoken of."""
        return self.matter_joined or self.repeats


def _sure(piece: Label[str | None]) -> str | None:
    return piece.value if piece.confidence >= PLACE_SURE else None


Reader = Callable[[Talk], list[str]]


def _name(talk: Talk) -> list[str]:
    if not talk.name:
        return []
    return [talk.name[0]] if talk.plan.language == "zh" and talk.name[0] in SURNAMES else [talk.name]


def _place(talk: Talk) -> list[str]:
    """What the caller said in figures; what only the household of the number tells is not said: it may be spoofed."""
    said, known, language = talk.place, talk.known_place, talk.plan.language
    told = numbers.address(said.building, said.unit, said.room, language)
    if known == said:
        return told
    parts = [told, [numbers.REGISTERED[language]]] if said.building else [[numbers.REGISTERED[language]], told]
    first, last = parts
    return [*first, numbers.PAUSE[language], *last] if first and last else [*first, *last]


def _responsible(talk: Talk) -> list[str]:
    ticket = talk.ticket
    said = (ticket.facts.get("responsible_title") or ticket.department) if ticket else ""
    return [said] if said else talk.label("department", talk.understanding.department.value)


def _label_of(table: str) -> Reader:
    return lambda talk: talk.label(table, getattr(talk.understanding, table).value)


def _of_ticket(read: Callable[[Talk, OpenedTicket], list[str]]) -> Reader:
    return lambda talk: read(talk, talk.ticket) if talk.ticket else []


def _of_matter(read: Callable[[Talk, OpenMatter], list[str]]) -> Reader:
    return lambda talk: read(talk, talk.known_matter) if talk.known_matter else []


def _of_incident(read: Callable[[Talk, Incident], list[str]]) -> Reader:
    return lambda talk: read(talk, talk.incident) if talk.incident else []


def _since(talk: Talk, incident: Incident) -> list[str]:
    now = talk.context.local_now
    return numbers.when(incident.since.astimezone(now.tzinfo), now, talk.plan.language)


VARIABLES: dict[str, tuple[str, Reader]] = {
    "site": ("name of the site", lambda talk: [talk.context.site_name]),
    "kind": ("kind that was understood", _label_of("kind")),
    "category": ("category that was understood", _label_of("category")),
    "urgency": ("urgency", _label_of("urgency")),
    "department": ("department in charge", _label_of("department")),
    "place": ('place as the caller said it; what the household tells is "your registered address" (R10)', _place),
    "name": ("the name that the caller said, in Chinese the surname alone (R10)", _name),
    "phone": ("call-back number", lambda talk: numbers.phone(talk.phone, talk.plan.language) if talk.phone else []),
    "phone_tail": ("its last four digits", lambda talk: numbers.digits((talk.phone or "")[-4:], talk.plan.language)),
    "ticket": ("the ticket's number", _of_ticket(lambda talk, it: numbers.ticket(it.number, talk.plan.language))),
    "answer_by": ("by when the caller is answered (R18)", _of_ticket(lambda talk, it: talk.by(it.answer_by))),
    "action": ("what will be done", _of_ticket(lambda _, it: [it.facts["action"]] if "action" in it.facts else [])),
    "responsible": ("who handles it: department and post", _responsible),
    "callback_by": ("by when a promised call-back comes (R22)", lambda talk: talk.by(talk.context.callback_by)),
    "matter_number": (
        "number of the open matter (R17)", _of_matter(lambda talk, it: numbers.ticket(it.number, talk.plan.language)),
    ),
    "matter_category": ("its category", _of_matter(lambda talk, it: talk.label("category", it.category))),
    "matter_state": ("its state", _of_matter(lambda _, it: [it.state])),
    "matter_responsible": ("who handles it", _of_matter(lambda _, it: [it.responsible])),
    "incident_category": (
        "category of the known incident (R32)", _of_incident(lambda talk, it: talk.label("category", it.category)),
    ),
    "incident_since": ("since when it is known", _of_incident(_since)),
}  # fmt: skip
"""What a prompt may have filled in: `{name}` → what it stands for, and its words."""
