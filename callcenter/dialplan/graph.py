"""A script as a graph: which action may follow which, and what it takes to get there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from callcenter.dialplan.model import Action, Gather, Goto, Hangup, Listen, Play, Say, Script, Transfer, When
from callcenter.dialplan.source import Where


@dataclass(frozen=True)
class Node:
    """An action of a step; `index` equal to the step's length is the step's end."""

    step: str
    index: int


@dataclass(frozen=True)
class Edge:
    """One way on. `heard`: only after a turn of the caller. `skipped`: the action's condition did not hold."""

    to: Node
    field: str = ""
    heard: bool = False
    skipped: bool = False
    bounded: bool = False


def targets(action: Action) -> dict[str, str]:
    """Steps an action may lead to, by the field that names them."""
    match action:
        case Goto():
            found: dict[str, str | None] = {"goto": action.goto}
        case Listen():
            found = {"silence": action.silence, "unclear": action.unclear, "nothing": action.nothing}
        case Gather():
            found = {"yes": action.yes, "no": action.no, "nothing": action.nothing, "silence": action.silence}
        case Transfer():
            found = {"no_answer": action.no_answer}
        case _:
            found = {}
    return {field: step for field, step in found.items() if step is not None}


def prompts_of(action: Action) -> Iterator[tuple[Where, str]]:
    """Prompts an action names, and where in the action."""
    match action:
        case Play() | Say():
            verb = "play" if isinstance(action, Play) else "say"
            named = action.play if isinstance(action, Play) else action.say
            if isinstance(named, str):
                yield (verb,), named
            else:
                yield from (((verb, at), name) for at, name in enumerate(named))
        case Listen():
            if action.ask:
                yield ("ask",), action.ask
        case Gather():
            yield ("ask",), action.ask
            if action.again:
                yield ("again",), action.again


def actions(script: Script) -> Iterator[tuple[Where, Node, Action]]:
    """Every action with its place in the file."""
    for step, listed in script.steps.items():
        for index, action in enumerate(listed):
            yield ("steps", step, index), Node(step, index), action


def action_at(script: Script, node: Node) -> Action | None:
    """The action of a node; None at a step's end."""
    listed = script.steps[node.step]
    return listed[node.index] if node.index < len(listed) else None


def edges(script: Script, node: Node) -> list[Edge]:
    """Ways on from a node; none from a step's end. Targets that do not exist are left out."""
    action = action_at(script, node)
    if action is None:
        return []
    following = Node(node.step, node.index + 1)
    out: list[Edge] = []
    if action.when is not None:
        out.append(Edge(following, skipped=True))
    hears = isinstance(action, Listen | Gather)
    bounded = isinstance(action, Goto) and action.times is not None
    for field, step in targets(action).items():
        if step in script.steps:
            out.append(Edge(Node(step, 0), field, heard=hears, bounded=bounded))
    if not isinstance(action, Hangup) and (not isinstance(action, Goto) or bounded):
        out.append(Edge(following, heard=isinstance(action, Listen)))
    return out


def entries(script: Script) -> dict[str, tuple[Where, bool]]:
    """Steps a call may come to from outside a step: where they are named, and whether they return at their end."""
    found: dict[str, tuple[Where, bool]] = {script.start: (("start",), False)}
    for name, rule in script.anytime.items():
        if rule.goto:
            found.setdefault(rule.goto, (("anytime", name, "goto"), False))
    found.setdefault(script.limits.too_long, (("limits", "too_long"), False))
    for name, rule in script.anytime.items():
        if rule.run:
            found.setdefault(rule.run, (("anytime", name, "run"), True))
    return {step: entry for step, entry in found.items() if step in script.steps}


def reachable(script: Script, start: Node) -> set[Node]:
    """All nodes that can follow `start`."""
    seen, todo = {start}, [start]
    while todo:
        for edge in edges(script, todo.pop()):
            if edge.to not in seen:
                seen.add(edge.to)
                todo.append(edge.to)
    return seen


def conditions(when: When | None, where: Where) -> Iterator[tuple[Where, When]]:
    """A condition and those within it, with their places."""
    if when is None:
        return
    yield where, when
    yield from conditions(when.not_, (*where, "not"))
    for at, inner in enumerate(when.any_ or ()):
        yield from conditions(inner, (*where, "any", at))
