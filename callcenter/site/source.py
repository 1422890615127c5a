"""YAML with line numbers: every value knows its file, line and field, so that every error can name them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from callcenter.errors import ConfigError

_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Constructor(RoundTripConstructor):
    """Takes what looks like a date and is none (2026-13-01) as a text: `Node.day` tells it with its line."""


def _timestamp(constructor: _Constructor, node: Any) -> Any:
    try:
        return constructor.construct_yaml_timestamp(node)
    except ValueError:
        return str(node.value)


_Constructor.add_constructor(_TIMESTAMP, _timestamp)


@dataclass(frozen=True)
class Node:
    """A value of a YAML file with where it stands. `line` counts from 1; `field` is dotted (`staff.3.title`)."""

    path: Path
    value: Any
    line: int
    field: str

    def error(self, code: str, message: str, mend: str) -> ConfigError:
        """A ConfigError that points here."""
        where = f"{self.path}:{self.line}" + (f": {self.field}" if self.field else "")
        return ConfigError(f"site.{code}", message, where=where, mend=mend)

    def _child(self, key: str | int, value: Any, line: int) -> Node:
        return Node(self.path, value, line, f"{self.field}.{key}" if self.field else str(key))

    def items(self) -> Iterator[tuple[str, Node]]:
        """Key and value of each entry of a mapping."""
        if not isinstance(self.value, Mapping):
            raise self.error("not_a_mapping", "names with values are expected here", "write `name: value` lines")
        for key, value in self.value.items():
            yield str(key), self._child(key, value, self._line_of(key))

    def elements(self) -> Iterator[Node]:
        """The elements of a list."""
        if isinstance(self.value, str) or not isinstance(self.value, Sequence):
            raise self.error("not_a_list", "a list is expected here", "write `[a, b]`, or lines that begin with `- `")
        for index, value in enumerate(self.value):
            yield self._child(index + 1, value, self._line_of(index))

    def _line_of(self, key: Any) -> int:
        marks = getattr(getattr(self.value, "lc", None), "data", None) or {}
        return int(marks[key][0]) + 1 if key in marks else self.line

    def only(self, *known: str) -> Node:
        """Check that the mapping has no other keys; returns itself."""
        for key, child in self.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                raise child.error(
                    "unknown_key", f"unknown field {key!r}",
                    f"did you mean `{near[0]}`?" if near else f"it takes {', '.join(known)}",
                )  # fmt: skip
        return self

    def find(self, key: str) -> Node | None:
        """The entry of that name; None when there is none or it is empty."""
        return next((child for name, child in self.items() if name == key and child.value is not None), None)

    def get(self, key: str) -> Node:
        """The entry of that name, which must be there."""
        found = self.find(key)
        if found is None:
            raise self.error("missing", f"{key!r} is missing", f"add `{key}:`")
        return found

    def text(self) -> str:
        """A text; figures without quotes are taken as written."""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int) or not str(self.value).strip():
            raise self.error("not_a_text", "a text is expected here", "write it in quotes")
        return str(self.value).strip()

    def texts(self) -> tuple[str, ...]:
        """A list of texts, or one text."""
        if isinstance(self.value, str | int):
            return (self.text(),)
        return tuple(element.text() for element in self.elements())

    def whole(self, at_least: int) -> int:
        """A whole number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < at_least:
            raise self.error(
                "not_a_number", f"a whole number of at least {at_least} is expected", "write it in figures"
            )
        return int(self.value)

    def flag(self) -> bool:
        """true or false."""
        if not isinstance(self.value, bool):
            raise self.error("not_a_flag", "true or false is expected here", "write true or false")
        return self.value

    def day(self) -> date:
        """A date."""
        if isinstance(self.value, date) and not isinstance(self.value, datetime):
            return self.value
        try:
            return date.fromisoformat(str(self.value))
        except ValueError:
            raise self.error("not_a_date", f"{self.value!r} is not a date", "write it as 2026-11-21") from None

    def clock(self) -> time:
        """A time of day."""
        try:
            return time.fromisoformat(str(self.value))
        except ValueError:
            raise self.error("not_a_time", f"{self.value!r} is not a time of day", 'write it as "08:30"') from None

    def moment(self) -> datetime:
        """A date with a time of day, on the site's clock (naive)."""
        if isinstance(self.value, datetime):
            return datetime.fromisoformat(self.value.isoformat()).replace(tzinfo=None)
        try:
            return datetime.fromisoformat(str(self.value)).replace(tzinfo=None)
        except ValueError:
            raise self.error(
                "not_a_moment", f"{self.value!r} is not a date and time", 'write it as "2026-11-21 08:30"'
            ) from None


def optional_text(node: Node, key: str, default: str = "") -> str:
    """The text of an entry that may be left out."""
    found = node.find(key)
    return default if found is None else found.text()


def read(path: Path) -> Node:
    """Read a YAML file. Raises ConfigError with file and line for what cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            "site.unreadable", f"cannot be read: {reason}", where=str(path), mend="a site's folder needs this file"
        ) from error
    try:
        yaml = YAML(typ="rt")
        yaml.Constructor = _Constructor
        value = yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(
            "site.syntax", f"not YAML: {str(error.problem).strip()}", where=f"{path}:{line}",
            mend="mend that line; a key may stand only once, and texts with `:` need quotes",
        ) from error  # fmt: skip
    except YAMLError as error:
        raise ConfigError("site.syntax", "not YAML", where=str(path), mend="see the line above") from error
    return Node(path, {} if value is None else value, 1, "")
