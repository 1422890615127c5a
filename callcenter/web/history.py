"""A matter's history in sentences: what happened, who did it, by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcenter.desk.models import Step, TicketDetail
from callcenter.web.i18n import translate
from callcenter.web.names import Names

SENTENCES = {
    "ticket.opened": "The ticket was opened while the caller was on the line",
    "ticket.amended": "The caller added to it",
    "ticket.completed": "Completed from the whole text of the call",
    "ticket.made": "Opened after the call",
    "ticket.repeated": "The caller called again about it",
    "ticket.redecided": "The rule was applied again",
    "ticket.told": "%(to)s was told",
    "callback.planned": "A call-back was planned",
    "callback.done": "%(actor)s called back",
    "task.done": "%(actor)s did a task",
    "recording.objected": "The caller objected to the recording",
    "recording.deleted": "The recording was deleted",
    "ticket.photo": "A photo of the work was added",
    "incident.opened": "Recognised as one incident of many calls",
    "incident.closed": "The incident is over",
    "person.call": "%(to)s was called on the telephone",
    "person.answer": "%(to)s answered on the telephone",
}
"""Kind of event → its sentence, for those that do not bring their own; translated when it is shown."""
FIELD_NAMES = {
    "kind": "Kind", "category": "Category", "urgency": "Urgency", "department": "Department", "place": "Place",
    "source": "Caller", "needs_investigation": "Investigation (R20)", "name": "Name", "number": "Number",
    "content": "Content",
}  # fmt: skip
"""Field of a matter or its record → what the pages call it."""
LABELS = frozenset({"kind", "category", "urgency", "department"})
UNSAID = frozenset({"number"})
"""Fields that the history names without their value: it is masked for some of its readers (R10)."""
LONGEST_VALUE = 60
PERSON_FIELDS = ("to", "staff", "to_staff", "asked")


@dataclass(frozen=True)
class Happened:
    """One line of the history."""

    at: datetime
    text: str
    detail: str
    rules: tuple[str, ...]
    kind: str
    actor: str | None


def _told(step: Step) -> dict[str, Any]:
    """The fields of the record (R6) as this step left them; nothing where it says nothing of them."""
    body = step.body
    said = body.get("opening") or body
    both = (said.get("matter") or {}) | (said.get("record") or {})
    fields = {name: both[name] for name in FIELD_NAMES if name in both}
    if isinstance(place := fields.get("place"), dict):
        fields["place"] = tuple(place.get(part) for part in ("building", "unit", "room"))
    return fields


def _value(name: str, value: Any, names: Names) -> str:
    if name == "place":
        return names.place(*value) or "—"
    if name == "needs_investigation":
        return translate(names.locale, "needed" if value else "not needed")
    if value in (None, ""):
        return "—"
    if name == "source":
        return translate(names.locale, f"source:{value}")
    text = names.label(name, str(value)) if name in LABELS else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _changes(before: dict[str, Any], after: dict[str, Any], names: Names) -> list[str]:
    """What a step changed in the record: 紧急程度 一般 → 紧急."""
    said = []
    for name, value in after.items():
        if name not in before or before[name] == value:
            continue
        label = translate(names.locale, FIELD_NAMES[name])
        was, now = _value(name, before[name], names), _value(name, value, names)
        said.append(label if name in UNSAID else f"{label} {was} → {now}")
    return said


def _detail(step: Step, changes: list[str]) -> str:
    """What it changed, and what was said of it."""
    parts = list(changes)
    for name in ("reason", "why", "result"):
        said = None if step.body.get("zh") else step.body.get(name)
        if isinstance(said, str) and said:
            parts.append(said)
    note = step.body.get("note")
    if isinstance(note, str) and note and note not in str(step.body.get("zh")):
        parts.append(note)
    return "; ".join(parts)


def _person(body: dict[str, Any], names: Names) -> str:
    return next((names.staff(body[n]) for n in PERSON_FIELDS if isinstance(body.get(n), str) and body[n]), "")


def sentence(step: Step, names: Names) -> str:
    """What happened: the event's own sentence, else ours; one that has neither is named by its kind."""
    own = step.body.get("zh" if names.zh else "en")
    if isinstance(own, str) and own:
        clock = step.body.get("clock")
        return f"{own} {names.clock(clock)}" if isinstance(clock, str) else own
    form = SENTENCES.get(step.kind, "")
    if not form:
        return step.kind
    actor = names.actor(step.actor)
    return translate(names.locale, form) % {"actor": actor, "to": _person(step.body, names) or actor}


def history_of(detail: TicketDetail, names: Names) -> list[Happened]:
    """The history, newest first; what changed the record says from what to what (R6)."""
    happened: list[Happened] = []
    known: dict[str, Any] = {}
    for step in detail.history:
        told = _told(step)
        said = _detail(step, _changes(known, told, names))
        known |= told
        happened.append(Happened(step.at, sentence(step, names), said, step.rules, step.kind, step.actor))
    return happened[::-1]
