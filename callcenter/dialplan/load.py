"""Reading a call script: YAML → `Dialplan`, every mistake with file, line, column and the mend."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError

from callcenter.dialplan.model import VERBS, Action, Anytime, Limits, Phrases, Script, When
from callcenter.dialplan.prompts import TEXTS, PromptSet, load_prompts
from callcenter.dialplan.source import Document, Where, read_yaml
from callcenter.errors import DialplanError

_MODELS: dict[str, type[BaseModel]] = {"phrases": Phrases, "limits": Limits, "when": When, "not": When, "any": When}


@dataclass(frozen=True)
class Dialplan:
    """A script that can be run: its words, its prompts and where everything stands in the file."""

    path: Path
    script: Script
    prompts: PromptSet
    document: Document

    @property
    def name(self) -> str:
        """Name of the script, `hotline.zh`."""
        return self.script.dialplan

    @property
    def language(self) -> str:
        """`zh` or `en`."""
        return self.script.language

    def step(self, name: str) -> list[Action]:
        """Actions of a step. Raises DialplanError `dialplan.step_unknown`."""
        if name not in self.script.steps:
            raise DialplanError("dialplan.step_unknown", f"no step {name!r}", where=str(self.path))
        return self.script.steps[name]


PATTERNS = {
    "time": 'write it as "08:30-17:30", from 00:00 to 24:00',
    "key": "write one of 0 to 9, * and #, in quotes",
}
"""How to write what has a pattern, by the name of its field; all else is a name."""


def nearest(word: str, known: list[str]) -> str:
    """How to mend a wrong name: "did you mean …?" or the list of known ones."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def parse(path: Path) -> tuple[Script | None, Document, list[DialplanError]]:
    """Read and validate the shape; the script is None when there are errors. Raises only for unreadable YAML."""
    document = read_yaml(path)
    if not isinstance(document.value, dict):
        return None, document, [document.error((), "dialplan.shape", "is no script", "start with `dialplan: name`")]
    try:
        return Script.model_validate(document.value), document, []
    except ValidationError as error:
        return None, document, _problems(document, [cast(dict[str, Any], e) for e in error.errors()])


def load_dialplan(path: Path) -> Dialplan:
    """Read a script and its prompts. Raises the first DialplanError; `check` finds all of them."""
    script, document, problems = parse(path)
    if script is None:
        raise problems[0]
    prompts = prompts_of(script, document)
    if prompts.problems:
        raise prompts.problems[0]
    return Dialplan(path, script, prompts, document)


def prompts_of(script: Script, document: Document) -> PromptSet:
    """The prompts a script names. Raises DialplanError `dialplan.file` at the script's line where there are none."""
    beside = document.path.parent
    if not (beside / script.prompts / TEXTS).is_file():
        found = sorted(str(texts.parent.relative_to(beside)) for texts in beside.glob(f"**/{TEXTS}"))
        mend = f"folders with prompts: {', '.join(found)}" if found else f"make the folder, with a {TEXTS} in it"
        message = f"no prompts in {script.prompts!r}: there is no {TEXTS}"
        raise document.error(("prompts",), "dialplan.file", message, mend)
    return load_prompts(beside / script.prompts, script.language)


def _in_document(document: Document, loc: tuple[str | int, ...]) -> Where:
    """pydantic's way to a value, without the tags of unions that it puts in between."""
    if loc[:1] == ("steps",):
        loc = (*loc[:3], *loc[4:])
    where: list[str | int] = []
    node: Any = document.value
    for part in loc:
        here = isinstance(node, dict) and part in node
        here |= isinstance(node, list) and isinstance(part, int) and part < len(node)
        if here:
            node = node[part]
            where.append(part)
    return tuple(where)


def _problems(document: Document, errors: list[dict[str, Any]]) -> list[DialplanError]:
    """One finding for each place: of several ways a value could be right, the one that lists what is allowed."""
    by_place: dict[tuple[Where, str], dict[str, Any]] = {}
    for error in errors:
        about = str(error["loc"][-1]) if error["type"] in ("missing", "extra_forbidden") else ""
        key = (_in_document(document, error["loc"]), about)
        if key not in by_place or error["type"] == "literal_error":
            by_place[key] = error
    return [_problem(document, error) for error in by_place.values()]


def _problem(document: Document, error: dict[str, Any]) -> DialplanError:
    loc, kind, message = error["loc"], error["type"], error["msg"]
    where = _in_document(document, loc)
    if kind == "union_tag_not_found":
        return _no_verb(document, where, error["input"])
    if kind == "extra_forbidden":
        model = _model_at(where[:-1], document)
        known = [f.alias or n for n, f in model.model_fields.items()]
        return document.error(
            where, "dialplan.field_unknown", f"unknown field {loc[-1]!r}", nearest(str(loc[-1]), known), key=True
        )
    if kind == "missing":
        return document.error(
            where, "dialplan.field_missing", f"{loc[-1]!r} is missing", f"write `{loc[-1]}: …` here", key=True
        )
    given = error.get("input")
    if kind == "literal_error":
        allowed = _literals_at(where, document) or [error["ctx"]["expected"]]
        return document.error(where, "dialplan.value", f"{given!r} is not allowed here", nearest(str(given), allowed))
    if given is None and where:
        step = len(where) == 2 and where[0] == "steps"
        what = f"step {where[1]!r} has no action" if step else f"{where[-1]!r} is empty"
        mend = "write `- verb: …` under it, or take it out" if step else "write its value, or take it out"
        return document.error(where, "dialplan.value", what, mend, key=True)
    if kind == "string_pattern_mismatch":
        field = next((str(part) for part in reversed(where) if isinstance(part, str)), "")
        mend = PATTERNS.get(field, "use a-z, 0-9 and _, beginning with a letter")
        return document.error(where, "dialplan.value", f"{given!r} is not allowed here", mend)
    return document.error(where, "dialplan.value", f"{given!r}: {message[0].lower()}{message[1:]}", "mend the value")


def _no_verb(document: Document, where: Where, given: Any) -> DialplanError:
    if not isinstance(given, dict):
        return document.error(
            where, "dialplan.verb_missing", f"{given!r} is no action", "write `- verb: …`, as `- play: goodbye`"
        )
    verbs = [name for name in given if name in VERBS]
    if verbs:
        return document.error(
            (*where, verbs[1]), "dialplan.verb_twice", f"two verbs in one action: {', '.join(verbs)}",
            "make it two actions", key=True,
        )  # fmt: skip
    named = str(next((k for k in given if k not in ("when", "set")), "?"))
    at = (*where, named) if named in given else where
    return document.error(at, "dialplan.verb_unknown", f"unknown verb {named!r}", nearest(named, list(VERBS)), key=True)


def _model_at(where: Where, document: Document) -> type[BaseModel]:
    """Which words may stand at a place of the file."""
    node: Any = document.value
    model: type[BaseModel] = Script
    for part in where:
        node = node[part]
        if part in _MODELS:
            model = _MODELS[str(part)]
        elif (
            isinstance(node, dict)
            and len(where) >= 2
            and where[0] == "anytime"
            and model is Script
            and node is not document.value
        ):
            model = Anytime if part != "anytime" else Script
        elif isinstance(node, dict) and where[0] == "steps":
            verbs = [name for name in node if name in VERBS]
            model = VERBS[verbs[0]] if verbs and isinstance(part, int) and model is not When else model
    return model


def _literals_at(where: Where, document: Document) -> list[str]:
    """Values a field may have."""
    names = [part for part in where if isinstance(part, str)]
    parents = where[: len(where) - 1 - next(i for i, p in enumerate(reversed(where)) if isinstance(p, str))]
    for name, info in _model_at(parents, document).model_fields.items():
        if (info.alias or name) == names[-1]:
            return [str(v) for v in _literals(info.annotation)]
    return []


def _literals(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    found: list[Any] = []
    for inner in get_args(annotation):
        found += [value for value in _literals(inner) if value not in found]
    return found
