"""Understanding by rules alone: light, at once, never away. The speech service does better, and starts from this."""

from __future__ import annotations

from callcenter.domain.labels import NOTHING, RESIDENT, Label, SpokenPlace, Understanding
from callcenter.domain.places import Gazetteer
from callcenter.domain.rules import IMPORTANT, NORMAL
from callcenter.domain.understanding.callers import find_source
from callcenter.domain.understanding.contact import find_name, find_phone
from callcenter.domain.understanding.dangers import Danger, Standing, find_dangers
from callcenter.domain.understanding.intents import find_intents
from callcenter.domain.understanding.spoken_place import find_place
from callcenter.domain.understanding.text import Utterance, utterance
from callcenter.domain.understanding.topics import (
    IMPORTANT_EN,
    IMPORTANT_ZH,
    TOLD_ABOUT,
    category_by_words,
    kind_by_words,
)

DEPARTMENT_OF: dict[str, str] = {
    "fire": "security", "gas": "engineering", "lift": "engineering", "water_leak": "engineering",
    "water_supply": "engineering", "heating": "engineering", "drain": "engineering", "power": "engineering",
    "house": "engineering", "facility": "engineering", "access": "security", "safety": "security",
    "medical": "security", "noise": "security", "parking": "security", "cleaning": "environment",
    "greening": "environment", "pets": "security", "fees": "finance", "staff": "service", "home_service": "service",
    "parcel_visit": "service", "renovation": "service", "lost_found": "service", "message": "service",
    "other": "service",
}  # fmt: skip
"""`config/taxonomy.yaml`'s default, for where no file may be read; a test holds the two together."""

HELP_CATEGORIES = frozenset({"fire", "gas", "lift", "medical", "safety", "pets", "house"})
"""An emergency of these asks for help, of the others for repair."""


def worst_danger(dangers: tuple[Danger, ...]) -> Danger | None:
    """The danger that stands now and is surest; None when there is none."""
    standing = [d for d in dangers if d.standing is Standing.NOW]
    return max(standing, key=lambda d: (d.strength, -d.start), default=None)


def _urgency(said: Utterance, language: str, danger: Danger | None) -> Label[str]:
    if danger is not None:
        return Label("emergency", round(0.6 + 0.35 * danger.strength, 2), danger.evidence)
    important = (IMPORTANT_ZH if language == "zh" else IMPORTANT_EN).search(said.mended)
    if important and not (language == "zh" and TOLD_ABOUT.search(said.mended)):
        return Label("important", 0.65, said.evidence(*important.span()))
    return Label("normal", 0.7)


def urgency_of_caller(urgency: Label[str], source: Label[str]) -> Label[str]:
    """What the press or an authority calls about is important at least (R8)."""
    watched = source.value != RESIDENT and urgency.value == NORMAL
    return Label(IMPORTANT, source.confidence, source.evidence) if watched else urgency


def slots(
    said: Utterance, language: str, gazetteer: Gazetteer | None, danger: Danger | None
) -> tuple[SpokenPlace, Label[str | None], Label[str | None], tuple[Label[str], ...]]:
    """Place (where the danger is, if there is one), name, phone and intents: what rules find as well as any model."""
    phone, numbers = find_phone(said, language)
    place, _ = find_place(said, language, gazetteer, numbers, (danger.start, danger.end) if danger else None)
    return place, find_name(said, language), phone, find_intents(said, language)


def understand_by_rules(
    text: str, language: str = "zh", gazetteer: Gazetteer | None = None, departments: dict[str, str] | None = None
) -> Understanding:
    """Labels of a text by rules (`by` is "rules"). `departments` maps categories where a site differs."""
    language = language[:2]
    said = utterance(text)
    danger = worst_danger(find_dangers(said, language))
    place, name, phone, intents = slots(said, language, gazetteer, danger)
    urgency = _urgency(said, language, danger)
    if danger is not None:
        category = Label(danger.category, urgency.confidence, danger.evidence)
        kind = Label("help" if danger.category in HELP_CATEGORIES else "repair", 0.75, danger.evidence)
    elif not said.has_words:
        kind, category, urgency = NOTHING.kind, NOTHING.category, NOTHING.urgency
    else:
        spoken = category_by_words(said, language)
        category = Label(spoken[0], round(spoken[1], 2), said.evidence(*spoken[2])) if spoken else Label("other", 0.3)
        by_words = kind_by_words(said, language)
        if by_words:
            kind = Label(by_words[0], by_words[1], said.evidence(*by_words[2]))
        elif spoken:
            kind = Label("repair", 0.4)
        else:
            kind = Label("none", 0.5 if len(said.text) < 8 else 0.3)
    department = Label(
        (departments or DEPARTMENT_OF).get(category.value, "service"), category.confidence, category.evidence
    )
    source = find_source(said, language)
    urgency = urgency_of_caller(urgency, source)
    return Understanding(
        kind, category, urgency, department, place, name, phone, intents, by="rules", source=source
    )
