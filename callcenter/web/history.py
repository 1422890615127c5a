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
    "caller_name": "Name", "caller_number": "Number", "building": "Building", "unit": "Unit", "room": "Room",
    "content": "Content", "kind": "Kind", "category": "Category", "urgency": "Urgency", "department": "Department",
    "place": "Place",
}  # fmt: skip
LABELS = frozenset({"kind", "category", "urgency", "department"})
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


def _value(name: str, value: Any, names: Names) -> str:
    if value in (None, ""):
        return "—"
    return names.label(name, str(value)) if name in LABELS else str(value)


def _detail(step: Step, names: Names) -> str:
    """Changes (紧急程度: 一般 → 紧急) and what was said of it."""
    parts = []
    changes = step.body.get("changes")
    if isinstance(changes, dict):
        for name, change in changes.items():
            before, after = change if isinstance(change, (list, tuple)) and len(change) == 2 else ("", change)
            label = translate(names.locale, FIELD_NAMES.get(str(name), str(name)))
            parts.append(f"{label} {_value(name, before, names)} → {_value(name, after, names)}")
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
    """The history, newest first."""
    return [
        Happened(step.at, sentence(step, names), _detail(step, names), step.rules, step.kind, step.actor)
        for step in reversed(detail.history)
    ]
