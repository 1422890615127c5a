"""Everything that can be known to be wrong with a script before a caller meets it.

Each finding is a DialplanError with file, line, column, what is wrong and the mend; all are found in one go.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from callcenter.config import ROOT
from callcenter.dialplan import graph
from callcenter.dialplan.context import STARTING_FLAGS
from callcenter.dialplan.conversation import MAX_ASKS
from callcenter.dialplan.load import Dialplan, load_dialplan, nearest, parse, prompts_of
from callcenter.dialplan.model import Gather, Listen, Play, Script, Ticket, When
from callcenter.dialplan.never import never
from callcenter.dialplan.prompts import TEXTS, PromptSet
from callcenter.dialplan.render import State, parts
from callcenter.dialplan.source import Document, Where, read_yaml
from callcenter.dialplan.talk import VARIABLES
from callcenter.dialplan.ways import check_ways
from callcenter.errors import DialplanError

TAXONOMY = ROOT / "config" / "taxonomy.yaml"
PROMPT_LIKE = 0.65
"""Prompts less like a missing one are not suggested: there are hundreds, and something is always a little like it."""
_LIMITS = ("start_timeout_s", "end_silence_s", "max_s")

Finding = Iterator[DialplanError]


def check(path: Path) -> list[DialplanError]:
    """All mistakes of a script and of the prompts it names, in the order of the file; [] when it may be used."""
    try:
        script, document, problems = parse(path)
        if script is None:
            return _in_order(problems)
        prompts = prompts_of(script, document)
    except DialplanError as error:
        return [error]
    findings = [*prompts.problems]
    for look in (_name, _names, _taxonomy, _flags, _conditions, _anytime, _limits, _questions, check_ways):
        findings += look(script, document)
    findings += _prompts(script, document, prompts)
    return _in_order(findings)


def _in_order(problems: Iterable[DialplanError]) -> list[DialplanError]:
    def place(error: DialplanError) -> tuple[str, int, int]:
        file, line, column = (error.where or "::").rsplit(":", 2)
        return file, int(line or 0), int(column or 0)

    return sorted(problems, key=place)


def _name(script: Script, document: Document) -> Finding:
    if script.dialplan != document.path.stem:
        message = f"the script is named {script.dialplan!r}, its file {document.path.name!r}"
        mend = f"write `dialplan: {document.path.stem}`, or rename the file"
        yield document.error(("dialplan",), "dialplan.name", message, mend)


def _named_steps(script: Script) -> Iterator[tuple[Where, str]]:
    yield ("start",), script.start
    yield ("limits", "too_long"), script.limits.too_long
    for name, rule in script.anytime.items():
        for field in ("run", "goto"):
            if step := getattr(rule, field):
                yield ("anytime", name, field), step
        for where, when in graph.conditions(rule.when, ("anytime", name, "when")):
            if when.visited:
                yield (*where, "visited"), when.visited
    for where, _, action in graph.actions(script):
        yield from (((*where, field), step) for field, step in graph.targets(action).items())
        for inner, when in graph.conditions(action.when, (*where, "when")):
            if when.visited:
                yield (*inner, "visited"), when.visited


def _names(script: Script, document: Document) -> Finding:
    for where, step in _named_steps(script):
        if step not in script.steps:
            yield document.error(where, "dialplan.step_unknown", f"no step {step!r}", nearest(step, list(script.steps)))


def _taxonomy(script: Script, document: Document) -> Finding:
    tables = read_yaml(TAXONOMY).value
    for where, when in _all_conditions(script):
        for field, table in (("category", "categories"), ("department", "departments")):
            given = getattr(when, field)
            for value in given if isinstance(given, list) else [given]:
                if value is not None and value not in tables[table]:
                    mend = nearest(value, list(tables[table]))
                    yield document.error((*where, field), "dialplan.label_unknown", f"no {field} {value!r}", mend)
    for where, _, action in graph.actions(script):
        if isinstance(action, Ticket) and action.category and action.category not in tables["categories"]:
            mend = nearest(action.category, list(tables["categories"]))
            yield document.error(
                (*where, "category"), "dialplan.label_unknown", f"no category {action.category!r}", mend
            )


def _flags(script: Script, document: Document) -> Finding:
    """A flag that no action sets, and no call begins with, is one that was mistyped."""
    known = sorted({action.set_ for _, _, action in graph.actions(script) if action.set_} | STARTING_FLAGS)
    for where, when in _all_conditions(script):
        listed = isinstance(when.flag, list)
        for at, flag in enumerate(when.flag if isinstance(when.flag, list) else [when.flag] if when.flag else []):
            if flag not in known:
                place = (*where, "flag", at) if listed else (*where, "flag")
                message = f"nothing sets the flag {flag!r}"
                yield document.error(place, "dialplan.flag_unknown", message, nearest(flag, known))


def _conditions(script: Script, document: Document) -> Finding:
    """Conditions that no call can meet; within one, those of its `any`."""
    outer: list[tuple[Where, When | None]] = [
        (("anytime", name, "when"), rule.when) for name, rule in script.anytime.items()
    ]
    outer += [((*where, "when"), action.when) for where, _, action in graph.actions(script)]
    for where, condition in outer:
        for place, when in graph.conditions(condition, where):
            branch = len(place) > 1 and place[-2] == "any" and "not" not in place[len(where) :]
            if (place == where or branch) and (thing := never(when, script)) is not None:
                message = f"this condition can never hold: nothing is left for `{thing.rstrip('_')}`"
                mend = "take one of what contradicts out, or put them under `any:`"
                yield document.error(place, "dialplan.never", message, mend)
                break


def _all_conditions(script: Script) -> Iterator[tuple[Where, When]]:
    for name, rule in script.anytime.items():
        yield from graph.conditions(rule.when, ("anytime", name, "when"))
    for where, _, action in graph.actions(script):
        yield from graph.conditions(action.when, (*where, "when"))


def _anytime(script: Script, document: Document) -> Finding:
    keys: dict[str, str] = {}
    for name, rule in script.anytime.items():
        where: Where = ("anytime", name)
        if (rule.key is None) is (rule.when is None):
            message, mend = f"{name!r} needs a key or a condition", "write `key:` or `when:`, one of them"
            yield document.error(where, "dialplan.anytime", message, mend, key=True)
        if (rule.run is None) is (rule.goto is None):
            message, mend = f"{name!r} needs one way on", "write `run:` (and back) or `goto:` (for good), one of them"
            yield document.error(where, "dialplan.anytime", message, mend, key=True)
        if rule.key is not None:
            if rule.key in keys:
                message = f"key {rule.key} is taken by {keys[rule.key]!r}"
                yield document.error((*where, "key"), "dialplan.key_twice", message, "choose another key")
            keys.setdefault(rule.key, name)


def _limits(script: Script, document: Document) -> Finding:
    for where, _, action in graph.actions(script):
        if not isinstance(action, Listen | Gather):
            continue
        open_ended = [f for f in _LIMITS if getattr(action, f) is None and getattr(script.limits, f) is None]
        if open_ended:
            verb = "listen" if isinstance(action, Listen) else "gather"
            yield document.error(
                (*where, verb),
                "dialplan.no_limit",
                f"{verb} has no {', '.join(open_ended)}",
                f"write `{open_ended[0]}: …` here or under `limits:`",
                key=True,
            )


def _questions(script: Script, document: Document) -> Finding:
    for where, _, action in graph.actions(script):
        if isinstance(action, Gather) and action.times > MAX_ASKS:
            yield document.error(
                (*where, "times"),
                "dialplan.asked_too_often",
                f"asked {action.times} times",
                f"a caller is asked the same at most {MAX_ASKS} times: write `times: {MAX_ASKS}` or leave it out",
            )
    for step, listed in script.steps.items():
        asked: dict[str, int] = {}
        for index, action in enumerate(listed):
            question = action.ask if isinstance(action, Gather | Listen) else None
            if question is None:
                continue
            asked[question] = asked.get(question, 0) + (action.times if isinstance(action, Gather) else 1)
            first = isinstance(action, Gather) and asked[question] == action.times
            if asked[question] > MAX_ASKS and not first:
                yield document.error(
                    ("steps", step, index, "ask"),
                    "dialplan.asked_too_often",
                    f"{question!r} may be asked {asked[question]} times in this step",
                    f"a caller is asked the same at most {MAX_ASKS} times: take one out",
                )


def _prompts(script: Script, document: Document, prompts: PromptSet) -> Finding:
    stale = {part.prompt: part.piece.file for part in parts(prompts) if part.state is State.STALE}
    named: dict[str, list[tuple[Where, bool]]] = {}
    phrases: Mapping[str, str] = script.phrases.model_dump()
    for field, name in phrases.items():
        named.setdefault(name, []).append((("phrases", field), True))
    named.setdefault(script.notice, []).append((("notice",), True))
    for at, name in enumerate(script.goodbyes):
        named.setdefault(name, []).append((("goodbyes", at), True))
    for where, _, action in graph.actions(script):
        for inner, name in graph.prompts_of(action):
            named.setdefault(name, []).append(((*where, *inner), isinstance(action, Play)))
    for name, places in named.items():
        where = places[0][0]
        if name not in prompts:
            near = difflib.get_close_matches(name, list(prompts.prompts), n=1, cutoff=PROMPT_LIKE)
            added = f"add it to {prompts.folder.name}/{TEXTS}"
            mend = f"did you mean {near[0]!r}?; else {added}" if near else added
            for place, _ in places:
                yield document.error(place, "dialplan.prompt_missing", f"no prompt {name!r}", mend)
            continue
        prompt = prompts.prompts[name]
        for slot in prompt.slots:
            if slot not in VARIABLES:
                message = f"prompt {name!r} has an unknown {{{slot}}}"
                yield document.error(where, "dialplan.variable_unknown", message, nearest(slot, list(VARIABLES)))
        for place, fixed in places:
            if fixed and prompt.slots:
                message = f"prompt {name!r} has {{{prompt.slots[0]}}} to fill in"
                yield document.error(place, "dialplan.play_filled", message, "use `say:` for it")
        render = f"run `callcenter prompts render --only {name}`"
        if missing := prompts.missing_audio(name):
            yield document.error(where, "dialplan.prompt_no_audio", f"prompt {name!r} has no {missing[0]}.wav", render)
        elif name in stale:
            message = f"{stale[name]}.wav says an older text of {name!r}"
            yield document.error(where, "dialplan.prompt_stale", message, render)


def load_checked(path: Path) -> Dialplan:
    """A script that has no mistakes, ready to run. Raises its first mistake, with the number of others."""
    problems = check(path)
    if problems:
        first, others = problems[0], len(problems) - 1
        if others:
            more = f"{first.message} (and {others} more: `callcenter dialplan check {path}`)"
            raise DialplanError(first.code, more, where=first.where, mend=first.mend) from first
        raise first
    return load_dialplan(path)
