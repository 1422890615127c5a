"""A matter's history in sentences: what happened, who did it, by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcenter.desk.models import Step, TicketDetail
from callcenter.domain.deadlines import RULE_OF_CLOCK, Clock
from callcenter.web.i18n import translate
from callcenter.web.names import Names

SENTENCES = {
    "ticket.opened": "Opened while the caller was on the line",
    "ticket.amended": "The caller added to it",
    "ticket.completed": "Completed from the whole text of the call",
    "ticket.made": "Opened after the call",
    "ticket.joined": "Joined to %(n)s",
    "ticket.repeated": "The caller called again about it",
    "ticket.redecided": "The rule was applied again",
    "ticket.corrected": "%(actor)s corrected it",
    "ticket.confirmed": "%(actor)s listened and confirmed it",
    "ticket.state": "%(actor)s: %(from)s → %(to)s",
    "handover.offered": "%(to)s was asked to take it over",
    "handover.accepted": "%(to)s accepted it",
    "handover.refused": "%(to)s refused it",
    "handover.passed": "%(to)s let the limit pass",
    "ticket.responsible": "Responsible: %(from)s → %(to)s",
    "ticket.told": "%(to)s was told",
    "deadline.warned": "Due soon: %(clock)s",
    "deadline.missed": "Overdue: %(clock)s",
    "callback.planned": "A call-back was planned",
    "callback.done": "%(actor)s called back",
    "task.done": "%(actor)s did a task",
    "recording.objected": "The caller objected to the recording",
    "recording.deleted": "The recording was deleted",
    "incident.opened": "Recognised as one incident of many calls",
    "incident.closed": "The incident is over",
    "person.call": "%(to)s was called on the telephone",
    "person.answer": "%(to)s answered on the telephone",
}
"""Kind of event → its sentence; translated when it is shown."""
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
            label = translate(names.locale, FIELD_NAMES.get(name, name))
            parts.append(f"{label} {_value(name, before, names)} → {_value(name, after, names)}")
    for name in ("reason", "why", "result"):
        said = step.body.get(name)
        if isinstance(said, str) and said:
            parts.append(said)
    return "; ".join(parts)


def _word(body: dict[str, Any], name: str, kind: str, names: Names) -> str:
    found = body.get(name)
    if not isinstance(found, str) or not found:
        return ""
    return translate(names.locale, f"state:{found}") if kind == "ticket.state" else names.staff(found)


def sentence(step: Step, names: Names) -> str:
    """What happened, in a sentence; an event this version has no sentence for is named by its kind."""
    form = SENTENCES.get(step.kind, "")
    if not form:
        return step.kind
    to = next((w for w in (_word(step.body, n, step.kind, names) for n in PERSON_FIELDS) if w), "")
    return translate(names.locale, form) % {
        "actor": names.actor(step.actor),
        "to": to or names.actor(step.actor),
        "from": _word(step.body, "from", step.kind, names) or "—",
        "n": step.body.get("joined_to", ""),
        "clock": names.clock(str(step.body.get("clock", ""))),
    }


def _rules(step: Step) -> tuple[str, ...]:
    if step.rules or step.kind not in ("deadline.missed", "deadline.warned"):
        return step.rules
    try:
        return (RULE_OF_CLOCK[Clock(step.body.get("clock", ""))],)
    except ValueError:
        return ()


def history_of(detail: TicketDetail, names: Names) -> list[Happened]:
    """The history, newest first."""
    return [
        Happened(step.at, sentence(step, names), _detail(step, names), _rules(step), step.kind)
        for step in reversed(detail.history)
    ]
