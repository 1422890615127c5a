"""YAML with places: every key and value knows its line and column, so that a message points at it.

Only plain YAML of a modest size is read: no tags (`!!python/…`), no aliases that grow, nothing nested without end. What
is more is refused while it is being read, before it costs memory or time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    MappingStartEvent,
    ScalarEvent,
)
from ruamel.yaml.parser import RoundTripParser

from callcenter.errors import DialplanError

Where = tuple[str | int, ...]
"""A path into a document: ("steps", "welcome", 0, "play")."""
MAX_BYTES = 256 * 1024
"""Ten times the largest script or list of texts that ships."""
MAX_DEPTH = 30
MAX_ALIASES = 20
MAX_VALUES = 50_000
"""Values of a file, with those that its aliases repeat."""


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, and where each stood. Lines and columns count from 1."""

    path: Path
    value: Any
    keys: dict[Where, tuple[int, int]] = field(repr=False)
    values: dict[Where, tuple[int, int]] = field(repr=False)

    def position(self, where: Where, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value (or its key) at `where`, or of the nearest thing around it."""
        table = self.keys if key else self.values
        while where and where not in table:
            where = where[:-1]
        return table.get(where, (1, 1))

    def error(self, where: Where, code: str, message: str, mend: str, *, key: bool = False) -> DialplanError:
        """An error that points at `where`."""
        line, column = self.position(where, key=key)
        return DialplanError(code, message, where=f"{self.path}:{line}:{column}", mend=mend)


class _RefusedError(MarkedYAMLError):
    """Well-formed, but not what a file of ours may be made of."""

    def __init__(self, problem: str, mark: StringMark, mend: str) -> None:
        super().__init__(problem=problem, problem_mark=mark)
        self.mend = mend


class _PlainParser(RoundTripParser):
    """Refuses tags, many aliases, an alias within what it names, keys that are no words, and deep nesting at once."""

    def __init__(self, loader: Any) -> None:
        super().__init__(loader)
        self._open: list[str | None] = []
        self._at_key: list[bool | None] = []
        """Of each open mapping whether its next part is a key; None for a sequence."""
        self._aliases = 0

    def get_event(self) -> Any:
        event = super().get_event()
        if isinstance(event, ScalarEvent | AliasEvent | CollectionStartEvent) and self._at_key:
            if self._at_key[-1] and not isinstance(event, ScalarEvent):
                raise _RefusedError("a key that is no word", event.start_mark, "write `name: …`, or quote it")
            self._at_key[-1] = None if self._at_key[-1] is None else not self._at_key[-1]
        if isinstance(event, AliasEvent):
            self._aliases += 1
            if event.anchor in self._open:
                raise _RefusedError(f"'*{event.anchor}' stands within itself", event.start_mark, "write it out")
            if self._aliases > MAX_ALIASES:
                mend = f"write them out; at most {MAX_ALIASES} are read"
                raise _RefusedError("too many aliases (*name)", event.start_mark, mend)
        elif isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
            raise _RefusedError(
                f"a tag: {event.tag}", event.start_mark, "take it out: scripts are plain YAML without tags"
            )
        if isinstance(event, CollectionStartEvent):
            self._open.append(event.anchor)
            self._at_key.append(True if isinstance(event, MappingStartEvent) else None)
            if len(self._open) > MAX_DEPTH:
                raise _RefusedError(
                    f"nested more than {MAX_DEPTH} deep", event.start_mark, "take the superfluous brackets out"
                )
        elif isinstance(event, CollectionEndEvent):
            self._open.pop()
            self._at_key.pop()
        return event


def read_yaml(path: Path) -> Document:
    """Read one file. Raises DialplanError `dialplan.file` or `dialplan.yaml`, with line and column."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise DialplanError(
                "dialplan.file", f"is larger than {MAX_BYTES // 1024} KB", where=f"{path}:1:1",
                mend="is it a call script at all? else make two of it",
            )  # fmt: skip
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise DialplanError(
            "dialplan.file", f"cannot be read: {error}", where=f"{path}:1:1", mend="give a YAML file in UTF-8"
        ) from error
    if version := re.search(r"^%YAML", text, re.MULTILINE):
        line = text.count("\n", 0, version.start()) + 1
        raise DialplanError("dialplan.yaml", "a YAML version", where=f"{path}:{line}:1", mend="take this line out")
    reader = YAML(typ="rt")
    reader.Parser = _PlainParser
    try:
        tree = reader.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = (
            (error.problem or "not YAML").replace("found duplicate key", "key written twice:").split(" with value")[0]
        )
        raise DialplanError(
            "dialplan.yaml", problem, where=f"{path}:{line}:{column}",
            mend=error.mend if isinstance(error, _RefusedError) else "mend the YAML here",
        ) from error  # fmt: skip
    except (YAMLError, ValueError) as error:
        raise DialplanError("dialplan.yaml", str(error), where=f"{path}:1:1", mend="mend the YAML") from error
    document = Document(path, None, {}, {(): (1, 1)})
    return Document(path, _plain(tree, (), document), document.keys, document.values)


def _plain(node: Any, where: Where, into: Document) -> Any:
    if len(into.values) > MAX_VALUES:
        raise into.error(where, "dialplan.yaml", "too many values", f"at most {MAX_VALUES} are read")
    if isinstance(node, CommentedMap):
        out: dict[Any, Any] = {}
        for key, value in node.items():
            # What `<<` merges in stands elsewhere: it is told at the place of the whole
            at = node.lc.data.get(key) or (node.lc.line, node.lc.col, node.lc.line, node.lc.col)
            into.keys[*where, key] = _from_one((at[0], at[1]))
            into.values[*where, key] = _from_one((at[2], at[3]))
            out[key] = _plain(value, (*where, key), into)
        return out
    if isinstance(node, CommentedSeq):
        items = []
        for index, value in enumerate(node):
            into.keys[*where, index] = into.values[*where, index] = _from_one(node.lc.item(index))
            items.append(_plain(value, (*where, index), into))
        return items
    if isinstance(node, str):
        return str(node)
    return node


def _from_one(position: tuple[int, int]) -> tuple[int, int]:
    return position[0] + 1, position[1] + 1
