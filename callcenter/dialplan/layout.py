"""A compact layered layout for the picture of a script: boxes in layers from top to bottom, edges around them.

Longest-path layers over the graph without its back edges, dummy points where an edge crosses a layer, a few
barycentre sweeps against crossings, then positions pulled towards the neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP_X, GAP_Y = 44.0, 64.0
DUMMY_WIDTH = 14.0
DUMMY = "·"
"""First letter of a dummy point's name; no box has it."""
_SWEEPS, _PULLS = 12, 200


@dataclass(frozen=True)
class Box:
    """Something to place. Sizes in pixels."""

    name: str
    width: float
    height: float


@dataclass(frozen=True)
class Link:
    """An edge from one box to another; several may join the same two."""

    source: str
    target: str


@dataclass(frozen=True)
class Placed:
    """Where everything came to lie: a box's left top corner, and for each link the points it passes through."""

    boxes: dict[str, tuple[float, float]]
    ways: list[list[tuple[float, float]]]
    back: list[bool]
    bottoms: dict[str, float]
    """Lower edge of the layer a box lies in: below it an edge may go sideways."""
    width: float
    height: float


def place(boxes: Sequence[Box], links: Sequence[Link], roots: Sequence[str]) -> Placed:
    """Lay out `boxes`; `roots` are where reading begins. Links name boxes that exist."""
    names = [box.name for box in boxes]
    follow: dict[str, list[str]] = {name: [] for name in names}
    for link in links:
        if link.target not in follow[link.source] and link.target != link.source:
            follow[link.source].append(link.target)
    back = _back_edges(names, follow, roots)
    layer = _layers(names, follow, back)
    rows, chains = _rows(names, links, layer)
    neighbours = _neighbours(rows, chains)
    _order(rows, neighbours)
    sizes = {box.name: box for box in boxes}
    centre = _centres(rows, neighbours, {n: sizes[n].width if n in sizes else DUMMY_WIDTH for r in rows for n in r})
    tops: list[float] = []
    y = 0.0
    heights = [max((sizes[n].height for n in row if n in sizes), default=0.0) for row in rows]
    for height in heights:
        tops.append(y)
        y += height + GAP_Y
    left = min(centre[n] - (sizes[n].width if n in sizes else DUMMY_WIDTH) / 2 for r in rows for n in r)
    right = max(centre[n] + (sizes[n].width if n in sizes else DUMMY_WIDTH) / 2 for r in rows for n in r)
    placed = {n: (centre[n] - sizes[n].width / 2 - left, tops[layer[n]]) for n in names}
    at = {name: i for i, row in enumerate(rows) for name in row}
    ways: list[list[tuple[float, float]]] = []
    for chain in chains:
        upwards = layer[chain[0]] > layer[chain[-1]]
        points: list[tuple[float, float]] = []
        for dummy in chain[1:-1]:
            x, top = centre[dummy] - left, tops[at[dummy]]
            through = [(x, top - 8), (x, top + heights[at[dummy]] + 8)]
            points += through[::-1] if upwards else through
        ways.append(points)
    backs = [layer[link.source] >= layer[link.target] for link in links]
    bottoms = {n: tops[layer[n]] + heights[layer[n]] for n in names}
    return Placed(placed, ways, backs, bottoms, right - left, y - GAP_Y)


def _back_edges(names: list[str], follow: dict[str, list[str]], roots: Sequence[str]) -> set[tuple[str, str]]:
    back: set[tuple[str, str]] = set()
    state: dict[str, int] = {}
    for root in [*roots, *names]:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(follow[root]))]
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[name] = 2
                stack.pop()
            elif state.get(following) == 1:
                back.add((name, following))
            elif following not in state:
                state[following] = 1
                stack.append((following, iter(follow[following])))
    return back


def _layers(names: list[str], follow: dict[str, list[str]], back: set[tuple[str, str]]) -> dict[str, int]:
    layer = dict.fromkeys(names, 0)
    for _ in names:
        moved = False
        for name in names:
            for following in follow[name]:
                if (name, following) not in back and layer[following] <= layer[name]:
                    layer[following] = layer[name] + 1
                    moved = True
        if not moved:
            break
    for name in names:  # pull what nothing holds above towards what follows
        below = [layer[f] for f in follow[name] if (name, f) not in back]
        above = any(name in follow[other] for other in names)
        if below and not above:
            layer[name] = max(0, min(below) - 1)
    return layer


def _rows(names: list[str], links: Sequence[Link], layer: dict[str, int]) -> tuple[list[list[str]], list[list[str]]]:
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for name in names:
        rows[layer[name]].append(name)
    chains: list[list[str]] = []
    made: dict[tuple[str, str], list[str]] = {}
    for link in links:
        key = (link.source, link.target)
        if key not in made:
            start, end = layer[link.source], layer[link.target]
            step = 1 if end > start else -1
            chain = [link.source]
            for at in range(start + step, end, step):
                dummy = f"{DUMMY}{link.source}·{link.target}·{at}"
                rows[at].append(dummy)
                chain.append(dummy)
            made[key] = [*chain, link.target]
        chains.append(made[key])
    return rows, chains


def _neighbours(rows: list[list[str]], chains: list[list[str]]) -> dict[str, tuple[list[str], list[str]]]:
    """Of each point: those in the layer above and in the layer below."""
    at = {name: i for i, row in enumerate(rows) for name in row}
    found: dict[str, tuple[list[str], list[str]]] = {name: ([], []) for name in at}
    for chain in chains:
        for one, other in pairwise(chain):
            if at[one] != at[other]:
                upper, lower = (one, other) if at[one] < at[other] else (other, one)
                found[upper][1].append(lower)
                found[lower][0].append(upper)
    return found


def _order(rows: list[list[str]], neighbours: dict[str, tuple[list[str], list[str]]]) -> None:
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else rows[::-1]:
            position = {name: i for r in rows for i, name in enumerate(r)}
            wanted = {}
            for name in row:
                near = neighbours[name][0 if down else 1]
                wanted[name] = sum(position[n] for n in near) / len(near) if near else float(position[name])
            row.sort(key=lambda name: wanted[name])


def _centres(
    rows: list[list[str]], neighbours: dict[str, tuple[list[str], list[str]]], width: dict[str, float]
) -> dict[str, float]:
    centre: dict[str, float] = {}
    for row in rows:
        x = 0.0
        for name in row:
            centre[name] = x + width[name] / 2
            x += width[name] + GAP_X
        for name in row:
            centre[name] -= x / 2
    for sweep in range(_PULLS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = [_wanted(name, neighbours[name], centre) for name in row]
            centre.update(zip(row, _apart(row, wanted, width), strict=True))
    return centre


def _wanted(name: str, neighbours: tuple[list[str], list[str]], centre: dict[str, float]) -> float:
    """Between the neighbours; a long edge rather stays straight."""
    near = neighbours[0] + neighbours[1]
    weights = [6 if name[0] == other[0] == DUMMY else 1 for other in near]
    return sum(w * centre[n] for w, n in zip(weights, near, strict=True)) / sum(weights) if near else centre[name]


def _apart(row: list[str], wanted: list[float], width: dict[str, float]) -> list[float]:
    """As near to `wanted` as keeping the order and the gaps allows: blocks that would overlap move as one."""
    blocks: list[tuple[float, list[int]]] = []
    offset = [0.0] * len(row)
    for i in range(1, len(row)):
        offset[i] = offset[i - 1] + (width[row[i - 1]] + width[row[i]]) / 2 + GAP_X / (1 if width[row[i]] > 20 else 2)
    for i in range(len(row)):
        blocks.append((wanted[i] - offset[i], [i]))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            later, earlier = blocks.pop(), blocks.pop()
            members = earlier[1] + later[1]
            blocks.append((sum(wanted[m] - offset[m] for m in members) / len(members), members))
    out = [0.0] * len(row)
    for base, members in blocks:
        for member in members:
            out[member] = base + offset[member]
    return out
