"""Domain values to plain JSON values and back; records, the link and the store all use this one codec."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from callcenter.errors import DomainError

T = TypeVar("T")


_adapters: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    """One adapter per type, built at its first use (milliseconds: call once at start for what a call needs)."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def to_plain(value: object) -> Any:
    """A domain value (a frozen dataclass) as what `json.dumps` takes: a Decision for a record's body, say."""
    return _adapter(type(value)).dump_python(value, mode="json")


def to_json(value: object) -> bytes:
    """A domain value as JSON, UTF-8."""
    return _adapter(type(value)).dump_json(value)


def from_plain(kind: type[T], plain: object) -> T:
    """Read `to_plain`'s output as a `kind`. Raises DomainError `codec.unreadable`, quoting none of it."""
    try:
        value: T = _adapter(kind).validate_python(plain)
    except ValidationError as error:
        raise _unreadable(kind, error) from None
    return value


def from_json(kind: type[T], text: bytes | str) -> T:
    """Read `to_json`'s output as a `kind`. Raises DomainError `codec.unreadable`, quoting none of it."""
    try:
        value: T = _adapter(kind).validate_json(text)
    except ValidationError as error:
        raise _unreadable(kind, error) from None
    return value


def _unreadable(kind: type[object], error: ValidationError) -> DomainError:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
    return DomainError(
        "codec.unreadable", f"not a {kind.__name__}: {first['msg']} at {field or 'the top'}",
        mend="written by another version? both ends must run the same one",
    )  # fmt: skip
