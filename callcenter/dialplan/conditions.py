"""Whether a condition of a script (`when`) holds in a talk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callcenter.dialplan.model import When
from callcenter.dialplan.talk import Talk
from callcenter.domain.labels import CONFIRM_BELOW

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def holds(when: When | None, talk: Talk) -> bool:
    """Every field of `when` holds; None always does."""
    if when is None:
        return True
    given = {name: value for name in type(when).model_fields if (value := getattr(when, name)) is not None}
    return all(_CONDITIONS[name](value, talk) for name, value in given.items())


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _time(value: Any, talk: Talk) -> bool:
    now = talk.context.local_now.strftime("%H:%M")
    spans = (span.split("-") for span in _many(value))
    return any(start <= now < end if start <= end else now >= start or now < end for start, end in spans)


def _caller(value: Any, talk: Talk) -> bool:
    context = talk.context
    who = {
        "withheld": context.caller_number is None,
        "has_open_matter": bool(context.open_matters),
        "known": context.caller_known,
        "unknown": not context.caller_known,
    }
    return any(who[one] for one in _many(value))


def _label(name: str) -> Callable[[Any, Talk], bool]:
    return lambda value, talk: getattr(talk.understanding, name).value in _many(value)


def _phone(value: Any, talk: Talk) -> bool:
    own = talk.context.caller_number
    return talk.phone is not None and (talk.phone == own) is bool(value == "caller_id")


def _ticket(value: Any, talk: Talk) -> bool:
    ticket = talk.ticket
    if ticket is None:
        return bool(value == "none")
    return bool(value == ("unnumbered" if not ticket.number else "joined" if ticket.joined else "opened"))


_CONDITIONS: dict[str, Callable[[Any, Talk], bool]] = {
    "time": _time,
    "weekday": lambda value, talk: _WEEKDAYS[talk.context.local_now.weekday()] in value,
    "holiday": lambda value, talk: talk.context.is_holiday is bool(value),
    "office_hours": lambda value, talk: talk.context.is_office_hours is bool(value),
    "operator": lambda value, talk: (talk.context.operator_extension is not None) is (value == "on_duty"),
    "language": lambda value, talk: talk.plan.language == str(value),
    "caller": _caller,
    "kind": _label("kind"),
    "category": _label("category"),
    "urgency": _label("urgency"),
    "department": _label("department"),
    "urgency_confidence": lambda value, talk: (
        (talk.understanding.urgency.confidence < CONFIRM_BELOW) is (value == "low")
    ),
    "confidence": lambda value, talk: talk.unsure is (value == "low"),
    "missing": lambda value, talk: any(talk.missing(slot) for slot in _many(value)),
    "has": lambda value, talk: any(talk.has(slot) for slot in _many(value)),
    "phone": _phone,
    "intent": lambda value, talk: bool(talk.turn_intents & set(_many(value))),
    "repeat": lambda value, talk: (talk.repeats is not None) is bool(value),
    "incident": lambda value, talk: (talk.incident is not None) is bool(value),
    "ticket": _ticket,
    "flag": lambda value, talk: bool(talk.flags & set(_many(value))),
    "visited": lambda value, talk: value in talk.steps,
    "not_": lambda value, talk: not holds(value, talk),
    "any_": lambda value, talk: any(holds(one, talk) for one in value),
}
"""How each field of `When` is decided."""
