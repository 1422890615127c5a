"""Conditions that no call can ever meet: `{holiday: true, not: {holiday: true}}`, or a time from 08:00 to 08:00.

A condition is turned into ways to meet it; a way says for each thing it looks at which values are left. A way with a
thing that has no value left is none; a condition without ways can never hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from callcenter.dialplan.model import Kind, Script, Urgency, Weekday, When

MAX_WAYS = 2000
"""A condition with more ways is not looked into: it is taken for one that can hold."""
_DAY_MIN = 24 * 60
_YES_NO = frozenset({True, False})
_DOMAINS: dict[str, frozenset[Any]] = {
    "time": frozenset(range(_DAY_MIN)),
    "weekday": frozenset(get_args(Weekday)),
    "operator": frozenset({"on_duty", "nobody"}),
    "kind": frozenset(get_args(Kind)),
    "urgency": frozenset(get_args(Urgency)),
    "urgency_confidence": frozenset({"low", "high"}),
    "confidence": frozenset({"low", "high"}),
    "phone": frozenset({None, "told", "caller_id"}),
    "ticket": frozenset({"none", "opened", "joined", "unnumbered"}),
    "known": frozenset({"known", "unknown"}),
}
"""What a thing may be; all others are yes or no, or (category, department) one of those that are named, or another."""
_EACH = ("flag", "intent", "missing", "has")
"""Fields of which several values may be true at once."""

Way = dict[str, frozenset[Any]]
"""What is left of each thing that is looked at."""


class _TooManyError(Exception):
    """More ways than are worth looking into."""


def never(when: When, script: Script) -> str | None:
    """The thing that leaves a condition no way to hold; None where it can."""
    try:
        ways = _ways(when, holds=True, domains=_DOMAINS | {"language": frozenset({script.language})})
    except _TooManyError:
        return None
    stuck = [
        next((thing for thing, left in way.items() if not left and not thing.endswith(" is not")), None) for way in ways
    ]
    if None in stuck:
        return None
    return stuck[0].split(" ")[0] if stuck and stuck[0] else "any"


def _ways(when: When, *, holds: bool, domains: Mapping[str, frozenset[Any]]) -> list[Way]:
    """Ways in which a condition holds, or does not."""
    parts = [
        _of_field(name, value, holds=holds, domains=domains)
        for name in type(when).model_fields
        if (value := getattr(when, name)) is not None
    ]
    return _all(parts) if holds else _any(parts)


def _of_field(name: str, value: Any, *, holds: bool, domains: Mapping[str, frozenset[Any]]) -> list[Way]:
    values = value if isinstance(value, list) else [value]
    if name == "not_":
        return _ways(value, holds=not holds, domains=domains)
    if name == "any_":
        inner = [_ways(one, holds=holds, domains=domains) for one in values]
        return _any(inner) if holds else _all(inner)
    if name == "caller":
        one_of = [_caller(one, holds=holds) for one in values]
    elif name in _EACH:
        one_of = [_each(name, one, holds=holds) for one in values]
    elif name == "time":
        one_of = [[{name: _kept(domains[name], {m for span in values for m in _minutes(span)}, holds=holds)}]]
    elif name in domains:
        one_of = [[{name: _kept(domains[name], values, holds=holds)}]]
    elif name in ("category", "department"):
        # One of those named, or any other: what is named in two conditions may still be met by one call
        one_of = [[{f"{name} is": frozenset(values)}]] if holds else [[{f"{name} is not": frozenset(values)}]]
    else:
        one_of = [[{f"{name} {value}" if name == "visited" else name: frozenset({_yes(name, value) is holds})}]]
    return _any(one_of) if holds else _all(one_of)


def _yes(name: str, value: Any) -> bool:
    return True if name == "visited" else bool(value)


def _each(name: str, value: str, *, holds: bool) -> list[Way]:
    if value == "phone":
        known = holds is (name == "has")
        return [{"phone": frozenset({"told", "caller_id"}) if known else frozenset({None})}]
    if value == "name":
        return [{"name": frozenset({holds is (name == "has")})}]
    return [{f"{name} {value}": frozenset({holds})}]


def _caller(value: str, *, holds: bool) -> list[Way]:
    if value in ("known", "unknown"):
        return [{"known": frozenset({value}) if holds else _DOMAINS["known"] - {value}}]
    return [{f"caller {value}": frozenset({holds})}]


def _minutes(span: str) -> Iterable[int]:
    start, end = (int(at[:2]) * 60 + int(at[3:]) for at in span.split("-"))
    return range(start, end) if start <= end else [*range(start, _DAY_MIN), *range(end)]


def _kept(domain: frozenset[Any], values: Iterable[Any], *, holds: bool) -> frozenset[Any]:
    return domain & frozenset(values) if holds else domain - frozenset(values)


def _any(parts: list[list[Way]]) -> list[Way]:
    return [way for part in parts for way in part]


def _all(parts: list[list[Way]]) -> list[Way]:
    ways: list[Way] = [{}]
    for part in parts:
        if len(ways) * len(part) > MAX_WAYS:
            raise _TooManyError
        ways = [_both(one, other) for one in ways for other in part]
    return ways


def _both(one: Way, other: Way) -> Way:
    """What both leave. A label that must be one of some and none of others is worked out at once."""
    out = dict(one)
    for thing, left in other.items():
        if thing not in out:
            out[thing] = left
        else:
            out[thing] = out[thing] | left if thing.endswith(" is not") else out[thing] & left
    for label in ("category", "department"):
        if f"{label} is" in out and f"{label} is not" in out:
            out[f"{label} is"] -= out[f"{label} is not"]
    return out
