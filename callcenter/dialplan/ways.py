"""What is wrong with the ways through a script: dead ends, circles, rudeness, nobody to turn to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from callcenter.dialplan import graph
from callcenter.dialplan.graph import Edge, Node
from callcenter.dialplan.model import Action, Gather, Hangup, Listen, Play, Say, Script, Ticket, Transfer
from callcenter.dialplan.source import Document, Where
from callcenter.errors import DialplanError

Finding = Iterator[DialplanError]


def check_ways(script: Script, document: Document) -> Finding:
    """Every finding about the ways through a script whose names all exist or are reported elsewhere."""
    for look in (_reached, _ends, _loops, _manners, _person, _too_long):
        yield from look(script, document)


def _reached(script: Script, document: Document) -> Finding:
    seen: set[Node] = set()
    for step in graph.entries(script):
        seen |= graph.reachable(script, Node(step, 0))
    for step, listed in script.steps.items():
        if not any(node.step == step for node in seen):
            yield document.error(
                ("steps", step),
                "dialplan.unreachable",
                f"step {step!r} is never reached",
                "lead to it with `goto:`, or take it out",
                key=True,
            )
            continue
        for index in range(len(listed)):
            if Node(step, index) not in seen:
                yield document.error(
                    ("steps", step, index),
                    "dialplan.unreachable",
                    "this action is never reached",
                    "the one before it always leaves the step: take one of them out",
                    key=True,
                )
                break


def _ends(script: Script, document: Document) -> Finding:
    """A step that does not lead on leaves the caller in silence; only one that `run:` calls may end (it returns)."""
    told: set[str] = set()
    for entry, (_, returns) in graph.entries(script).items():
        for node in sorted(graph.reachable(script, Node(entry, 0)), key=lambda n: (n.step, n.index)):
            if not returns and graph.action_at(script, node) is None and node.step not in told:
                told.add(node.step)
                yield document.error(
                    ("steps", node.step),
                    "dialplan.no_end",
                    f"step {node.step!r} may end without leading on",
                    "end it with `goto:` or `hangup:` without a condition",
                    key=True,
                )


def _loops(script: Script, document: Document) -> Finding:
    """Circles that no turn of the caller and no `times` bounds."""
    done: set[Node] = set()
    for entry in graph.entries(script):
        yield from _circles(script, document, Node(entry, 0), done)


def _circles(script: Script, document: Document, start: Node, done: set[Node]) -> Finding:
    for origin in sorted(graph.reachable(script, start), key=lambda n: (n.step, n.index)):
        if origin in done:
            continue
        trail: list[Node] = []
        on_trail: set[Node] = set()
        stack: list[tuple[Node, Iterator[Edge]]] = [(origin, iter(graph.edges(script, origin)))]
        trail.append(origin)
        on_trail.add(origin)
        while stack:
            node, ways = stack[-1]
            edge = next(ways, None)
            if edge is None:
                stack.pop()
                on_trail.discard(trail.pop())
                done.add(node)
            elif edge.heard or edge.bounded or edge.to in done:
                continue
            elif edge.to in on_trail:
                steps = _steps(trail[trail.index(edge.to) :])
                yield document.error(
                    ("steps", node.step, node.index, edge.field or "goto"),
                    "dialplan.endless_loop",
                    f"endless loop without the caller: {' → '.join([*steps, edge.to.step])}",
                    "listen in between, or bound it with `times:`",
                )
            else:
                stack.append((edge.to, iter(graph.edges(script, edge.to))))
                trail.append(edge.to)
                on_trail.add(edge.to)


def _steps(nodes: Sequence[Node]) -> list[str]:
    out: list[str] = []
    for node in nodes:
        if not out or out[-1] != node.step:
            out.append(node.step)
    return out


def _manners(script: Script, document: Document) -> Finding:
    """A goodbye before every hangup (R2), the recording notice before anything is asked, on every way."""

    def bids(action: Action) -> bool:
        return any(name in script.goodbyes for _, name in graph.prompts_of(action)) and isinstance(action, Play | Say)

    def notifies(action: Action) -> bool:
        return any(name == script.notice for _, name in graph.prompts_of(action)) and isinstance(action, Play | Say)

    rude: set[Node] = set()
    for step in graph.entries(script):
        for node, trail in _ways_without(script, Node(step, 0), bids, Hangup, forget=(Listen, Gather, Transfer)):
            if node in rude:
                continue
            rude.add(node)
            yield document.error(
                ("steps", node.step, node.index, "hangup"),
                "dialplan.no_goodbye",
                f"a way to this hangup has no goodbye: {' → '.join(_steps(trail))}",
                f"say one of {', '.join(script.goodbyes)} before it (R2)",
                key=True,
            )
    asking = (Listen, Gather, Transfer, Ticket, Hangup)
    starts = [Node(script.start, 0)] if script.start in script.steps else []
    for node, trail in (way for start in starts for way in _ways_without(script, start, notifies, asking, forget=())):
        yield document.error(
            ("steps", node.step, node.index),
            "dialplan.no_notice",
            f"the recording notice has not been given here: {' → '.join(_steps(trail))}",
            f"play {script.notice!r} first, without a condition",
            key=True,
        )
    if script.phrases.goodbye not in script.goodbyes:
        yield document.error(
            ("phrases", "goodbye"),
            "dialplan.no_goodbye",
            f"{script.phrases.goodbye!r} is no goodbye",
            "list it under `goodbyes:`",
        )


def _ways_without(
    script: Script,
    start: Node,
    said: Callable[[Action], bool],
    ends: type[Action] | tuple[type[Action], ...],
    forget: tuple[type[Action], ...],
) -> Iterator[tuple[Node, list[Node]]]:
    """Nodes of `ends` that some way reaches without `said` (since the last of `forget`); none behind another.

    Each with a shortest way to it.
    """
    came: dict[tuple[Node, bool], tuple[Node, bool] | None] = {(start, False): None}
    todo = deque(came)
    found: set[Node] = set()
    while todo:
        state = todo.popleft()
        node, have = state
        action = graph.action_at(script, node)
        if action is None:
            continue
        if isinstance(action, ends) and not have and node not in found:
            found.add(node)
            trail: list[Node] = []
            at: tuple[Node, bool] | None = state
            while at is not None:
                trail.append(at[0])
                at = came[at]
            yield node, trail[::-1]
            continue
        for edge in graph.edges(script, node):
            after = have if edge.skipped else not isinstance(action, forget) and (have or said(action))
            if (edge.to, after) not in came:
                came[edge.to, after] = state
                todo.append((edge.to, after))


def _person(script: Script, document: Document) -> Finding:
    asked = any(
        rule.key == "0" or (rule.when is not None and "operator" in _listed(rule.when.intent))
        for rule in script.anytime.values()
    )
    nodes = {node for step in graph.entries(script) for node in graph.reachable(script, Node(step, 0))}
    rings = any(isinstance(graph.action_at(script, node), Transfer) for node in nodes)
    if not rings or not asked:
        missing = "no step rings a person" if not rings else "neither key 0 nor 人工 leads to a person"
        where: Where = ("anytime",) if script.anytime else ("steps",)
        yield document.error(
            where,
            "dialplan.no_person",
            f"no way to a person: {missing}",
            'add a step with `transfer: operator`, and `anytime:` with `key: "0"` that runs it',
            key=True,
        )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _too_long(script: Script, document: Document) -> Finding:
    if script.limits.too_long not in script.steps:
        return
    for node in sorted(graph.reachable(script, Node(script.limits.too_long, 0)), key=lambda n: (n.step, n.index)):
        if isinstance(graph.action_at(script, node), Listen | Gather):
            yield document.error(
                ("steps", node.step, node.index),
                "dialplan.endless_talk",
                f"asks after the limit of turns: {script.limits.too_long!r} leads here",
                "from `too_long` on nothing may be asked: transfer, ticket, goodbye, hangup",
                key=True,
            )
