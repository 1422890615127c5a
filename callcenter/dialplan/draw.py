"""A script as a picture: one box a step, one line an action, arrows where the talk goes on. SVG, light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from callcenter.dialplan import graph
from callcenter.dialplan.layout import Box, Link, Placed, place
from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.model import Action, Gather, Goto, Hangup, Listen, Play, Say, Ticket, Transfer, When, verb_of

WIDTH = 300.0
HEAD, ROW, CONDITION, PAD = 30.0, 22.0, 16.0, 8.0
MARGIN, TITLE, LEGEND = 28.0, 44.0, 44.0
FONT = 12.5
OUT = 20.0
"""How far an edge leaves its box sideways."""
VERB_COLOURS = {
    "play": "#3b6ea8",
    "say": "#2f7f86",
    "listen": "#7a5aa8",
    "gather": "#8a5a2b",
    "transfer": "#2f7d4f",
    "ticket": "#a8642a",
    "hangup": "#a33b3b",
    "goto": "#667085",
}
"""Chip of each verb; white on any of them has a contrast over 4.5."""
WORDS = {
    "zh": {"anytime": "任何时候", "key": "按", "too_long": "超过 {n} 轮", "yes": "是", "no": "否",
           "nothing": "没有", "silence": "没人说话", "unclear": "没听懂", "no_answer": "没人接",
           "not": "非", "or": "或"},
    "en": {"anytime": "At any time", "key": "key", "too_long": "over {n} turns", "yes": "yes", "no": "no",
           "nothing": "nothing", "silence": "silence", "unclear": "unclear", "no_answer": "no answer",
           "not": "not", "or": "or"},
}  # fmt: skip
STYLE = """
.page{fill:#fbfbfc}.box{fill:#fff;stroke:#c3c8d2}.head{fill:#eef1f6}.start .head{fill:#dfeee4}.any .head{fill:#fdf0d8}
text{font:12.5px "PingFang SC","Noto Sans CJK SC","Microsoft YaHei",system-ui,sans-serif;fill:#1d2430}
.name{font-weight:600}.title{font-size:18px;font-weight:600}.when{fill:#5b6472;font-size:11px}
.chip{fill:#fff;font-size:11px}.way{fill:none;stroke:#7b8494;stroke-width:1.3}.back{stroke-dasharray:5 4}
.tip{fill:#7b8494}.label{font-size:11px;fill:#5b6472;paint-order:stroke;stroke:#fbfbfc;stroke-width:3px}
@media (prefers-color-scheme:dark){.page{fill:#14171c}.box{fill:#1d222a;stroke:#3d4654}.head{fill:#262d38}
.start .head{fill:#1e3a2a}.any .head{fill:#41351d}text{fill:#e6e9ef}.when{fill:#a3acba}.chip{fill:#fff}
.way{stroke:#8e98a8}.tip{fill:#8e98a8}.label{fill:#a3acba;stroke:#14171c}}
"""
ANY = "anytime "
"""Name of the box of what works at any moment; no step has a space."""


TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>'
)


@dataclass(frozen=True)
class _Row:
    """A line of a box. `leads` are (label, step) pairs that start here."""

    verb: str
    text: str
    when: str = ""
    leads: tuple[tuple[str, str], ...] = ()

    @property
    def height(self) -> float:
        return ROW + (CONDITION if self.when else 0.0)


def draw(plan: Dialplan) -> str:
    """The whole script as SVG text."""
    words = WORDS[plan.language]
    rows = {name: [_row(plan, action, words) for action in listed] for name, listed in plan.script.steps.items()}
    rows[ANY] = _anytime_rows(plan, words)
    boxes = [Box(n, WIDTH, HEAD + PAD + sum(r.height for r in listed)) for n, listed in rows.items()]
    links: list[Link] = []
    starts: list[tuple[str, int, str]] = []
    for name, listed in rows.items():
        for index, row in enumerate(listed):
            for label, step in row.leads:
                if step in rows:
                    links.append(Link(name, step))
                    starts.append((name, index, label))
    placed = place(boxes, links, [plan.script.start, ANY])
    width, height = placed.width + 2 * MARGIN, placed.height + TITLE + LEGEND + 2 * MARGIN
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    title = escape(plan.script.title)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}">',
        f"<style>{STYLE}</style>",
        TIP,
        f'<rect class="page" width="{width:.0f}" height="{height:.0f}"/>',
        f'<text class="title" x="{MARGIN}" y="{MARGIN + 14}">{title} · {escape(plan.name)}</text>',
        f'<g transform="translate({MARGIN} {MARGIN + TITLE})">',
    ]
    out += _ways(rows, links, starts, placed)
    out += [_box(plan, name, listed, placed.boxes[name], words) for name, listed in rows.items()]
    out += ["</g>", _legend(MARGIN, height - MARGIN - 8), "</svg>"]
    return "\n".join(out) + "\n"


def _row(plan: Dialplan, action: Action, words: dict[str, str]) -> _Row:
    leads = tuple((words.get(f, ""), step) for f, step in graph.targets(action).items())
    return _Row(verb_of(action) or "", _text(plan, action), _condition(action.when, words), leads)


def _text(plan: Dialplan, action: Action) -> str:
    def said(prompt: str | None) -> str:
        found = plan.prompts.prompts.get(prompt or "")
        return found.text if found else prompt or ""

    match action:
        case Play() | Say():
            return " ".join(said(name) for _, name in graph.prompts_of(action))
        case Listen():
            return said(action.ask) or action.listen
        case Gather():
            return f"[{action.gather}] {said(action.ask)}"
        case Transfer():
            return f"{action.transfer} · {action.timeout_s:g} s"
        case Ticket():
            marks = [m for m in (action.kind, action.category, action.urgency) if m]
            marks += [name for name in ("confirm", "callback") if getattr(action, name)]
            return " · ".join([action.ticket, *marks])
        case Hangup():
            return action.hangup
        case Goto():
            return f"→ {action.goto}" + (f" (≤{action.times})" if action.times else "")


def _condition(when: When | None, words: dict[str, str]) -> str:
    if when is None:
        return ""
    out: list[str] = []
    for name, field in type(when).model_fields.items():
        value = getattr(when, name)
        if value is None:
            continue
        if name == "not_":
            out.append(f"{words['not']} ({_condition(value, words)})")
        elif name == "any_":
            out.append(f" {words['or']} ".join(_condition(one, words) for one in value))
        elif isinstance(value, bool):
            out.append(name if value else f"{words['not']} {name}")
        else:
            listed = value if isinstance(value, list) else [value]
            out.append(f"{field.alias or name}: {'|'.join(map(str, listed))}")
    return ", ".join(out)


def _anytime_rows(plan: Dialplan, words: dict[str, str]) -> list[_Row]:
    rows = []
    for name, rule in plan.script.anytime.items():
        meant = f"{words['key']} {rule.key}" if rule.key else _condition(rule.when, words)
        rows.append(_Row("goto", meant if rule.goto else f"{meant} ↩", leads=(("", rule.goto or rule.run or name),)))
    limits = plan.script.limits
    rows.append(_Row("goto", words["too_long"].format(n=limits.turns), leads=(("", limits.too_long),)))
    return rows


def _ways(
    rows: dict[str, list[_Row]],
    links: list[Link],
    starts: list[tuple[str, int, str]],
    placed: Placed,
) -> list[str]:
    out: list[str] = []
    for link, (name, index, label), passed, back in zip(links, starts, placed.ways, placed.back, strict=True):
        x, y = placed.boxes[name]
        tx, ty = placed.boxes[link.target]
        listed = rows[name]
        row_y = y + HEAD + sum(r.height for r in listed[:index]) + listed[index].height - ROW / 2
        aim = passed[0][0] if passed else tx + WIDTH / 2
        right = aim >= x + WIDTH / 2
        start = (x + WIDTH if right else x, row_y)
        last = passed[-1][0] if passed else start[0]
        enter = min(max(last, tx + 24), tx + WIDTH - 24)
        box_height = HEAD + PAD + sum(r.height for r in rows[link.target])
        end = (enter, ty + box_height if back else ty)
        if back:
            points = [*passed, (enter, placed.bottoms[link.target] + 8)]
        else:
            points = [(start[0] + (OUT if right else -OUT), placed.bottoms[name] + 8), *passed]
        out.append(_way(start, right, points, end, back=back))
        if label:
            side = start[0] + (6 if right else -6)
            out.append(
                f'<text class="label" x="{side:.1f}" y="{row_y - 4:.1f}" '
                f'text-anchor="{"start" if right else "end"}">{escape(label)}</text>'
            )
    return out


def _way(
    start: tuple[float, float], right: bool, points: list[tuple[float, float]], end: tuple[float, float], *, back: bool
) -> str:
    out_x = start[0] + (OUT if right else -OUT)
    down = -1 if back else 1
    path = f"M{start[0]:.1f} {start[1]:.1f}"
    at: tuple[float, float] = start
    first = True
    for x, y in [*points, end]:
        reach = max(abs(y - at[1]) / 2, 18.0)
        lead = (out_x, at[1]) if first else (at[0], at[1] + down * reach)
        path += f"C{lead[0]:.1f} {lead[1]:.1f} {x:.1f} {y - down * reach:.1f} {x:.1f} {y:.1f}"
        at, first = (x, y), False
    return f'<path class="way{" back" if back else ""}" marker-end="url(#tip)" d="{path}"/>'


def _box(plan: Dialplan, name: str, listed: list[_Row], at: tuple[float, float], words: dict[str, str]) -> str:
    x, y = at
    kind = " start" if name == plan.script.start else " any" if name == ANY else ""
    height = HEAD + PAD + sum(row.height for row in listed)
    title = words["anytime"] if name == ANY else name
    corner = f"a7.5 7.5 0 0 1 7.5-7.5h{WIDTH - 16:.1f}a7.5 7.5 0 0 1 7.5 7.5"
    side = f"{HEAD - 12:.1f}"
    out = [
        f'<g class="step{kind}">',
        f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{WIDTH}" height="{height:.1f}" rx="8"/>',
        f'<path class="head" d="M{x + 0.5:.1f} {y + HEAD - 4:.1f}v-{side}{corner}v{side}z"/>',
        f'<text class="name" x="{x + 12:.1f}" y="{y + 18:.1f}">{escape(title)}</text>',
    ]
    row_y = y + HEAD
    for row in listed:
        if row.when:
            shown = escape(fit(f"◇ {row.when}", WIDTH - 24, 11))
            out.append(f'<text class="when" x="{x + 12:.1f}" y="{row_y + 11:.1f}">{shown}</text>')
            row_y += CONDITION
        chip = 8 + len(row.verb) * 6.4
        out.append(
            f'<rect x="{x + 10:.1f}" y="{row_y + 2:.1f}" width="{chip:.1f}" height="16" rx="8" '
            f'fill="{VERB_COLOURS[row.verb]}"/><text class="chip" x="{x + 10 + chip / 2:.1f}" y="{row_y + 14:.1f}" '
            f'text-anchor="middle">{row.verb}</text>'
        )
        shown = fit(row.text, WIDTH - chip - 34, FONT)
        out.append(
            f'<text x="{x + 18 + chip:.1f}" y="{row_y + 14.5:.1f}">{escape(shown)}'
            f"<title>{escape(row.text)}</title></text>"
        )
        row_y += ROW
    out.append("</g>")
    return "".join(out)


def _legend(x: float, y: float) -> str:
    out = ['<g class="legend">']
    for verb, colour in VERB_COLOURS.items():
        chip = 8 + len(verb) * 6.4
        out.append(
            f'<rect x="{x:.1f}" y="{y - 12:.1f}" width="{chip:.1f}" height="16" rx="8" fill="{colour}"/>'
            f'<text class="chip" x="{x + chip / 2:.1f}" y="{y:.1f}" text-anchor="middle">{verb}</text>'
        )
        x += chip + 10
    return "".join([*out, "</g>"])


def text_width(text: str, size: float) -> float:
    """About how wide a text is drawn, px: full-width characters one em, others 0.58."""
    return sum(size if ord(c) > 0x2E7F else 0.58 * size for c in text)


def fit(text: str, width: float, size: float) -> str:
    """`text` cut with an ellipsis so that it is no wider than `width` px."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"
