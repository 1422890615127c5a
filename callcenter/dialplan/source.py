"""YAML with places: every key and value knows its line and column, so that a message points at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from callcenter.errors import DialplanError

Where = tuple[str | int, ...]
"""A path into a document: ("steps", "welcome", 0, "play")."""


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


def read_yaml(path: Path) -> Document:
    """Read one file. Raises DialplanError `dialplan.file` or `dialplan.yaml`, with line and column."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DialplanError(
            "dialplan.file", f"cannot be read: {error}", where=f"{path}:1:1", mend="give a YAML file in UTF-8"
        ) from error
    reader = YAML(typ="rt")
    try:
        tree = reader.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = (
            (error.problem or "not YAML").replace("found duplicate key", "key written twice:").split(" with value")[0]
        )
        raise DialplanError(
            "dialplan.yaml", problem, where=f"{path}:{line}:{column}", mend="mend the YAML here"
        ) from error
    except YAMLError as error:
        raise DialplanError("dialplan.yaml", str(error), where=f"{path}:1:1", mend="mend the YAML") from error
    document = Document(path, None, {}, {(): (1, 1)})
    return Document(path, _plain(tree, (), document), document.keys, document.values)


def _plain(node: Any, where: Where, into: Document) -> Any:
    if isinstance(node, CommentedMap):
        out: dict[Any, Any] = {}
        for key, value in node.items():
            into.keys[*where, key] = _from_one(node.lc.key(key))
            into.values[*where, key] = _from_one(node.lc.value(key))
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
