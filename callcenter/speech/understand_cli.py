"""`callcenter understand`: labels of a text, or of every line of standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callcenter.domain.labels import RESIDENT
from callcenter.errors import SpeechError

if TYPE_CHECKING:
    from callcenter.domain.labels import Label, Understanding


def _label(label: Label[Any]) -> dict[str, Any]:
    return {"value": label.value, "confidence": label.confidence, "evidence": label.evidence}


def as_dict(understood: Understanding) -> dict[str, Any]:
    """What `--json` prints: every value as {value, confidence, evidence}."""
    place = understood.place
    return {
        "kind": _label(understood.kind),
        "category": _label(understood.category),
        "urgency": _label(understood.urgency),
        "department": _label(understood.department),
        "place": {"building": _label(place.building), "unit": _label(place.unit), "room": _label(place.room)},
        "name": _label(understood.name),
        "phone": _label(understood.phone),
        "source": _label(understood.source),
        "intents": [_label(intent) for intent in understood.intents],
        "to_confirm": understood.to_confirm,
    }


def _sentence(understood: Understanding) -> str:
    parts = [
        f"{understood.kind.value}/{understood.category.value}/{understood.urgency.value}",
        understood.department.value,
    ]
    parts += [str(understood.place)] if str(understood.place) else []
    parts += [label.value for label in (understood.name, understood.phone) if label.value]
    parts += [understood.source.value] if understood.source.value != RESIDENT else []
    return "  ".join(parts) + ("  待核实" if understood.to_confirm else "")


class Language(StrEnum):
    """What a text may be understood in."""

    AUTO = "auto"
    ZH = "zh"
    EN = "en"


def _lines() -> Iterator[str]:
    """Standard input as it comes, every line of it: answer n belongs to line n. Raises SpeechError at its end where a
    line was no UTF-8, naming the first."""
    broken: list[int] = []
    for number, raw in enumerate(sys.stdin.buffer, start=1):
        try:
            yield raw.decode("utf-8")
        except UnicodeDecodeError:
            broken.append(number)
            yield raw.decode("utf-8", "replace")
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise SpeechError(
            "understand.not_utf8", "not UTF-8", where=f"standard input, line {broken[0]}{more}",
            mend="convert it first: iconv -f GB18030 -t UTF-8",
        )


def understand(
    text: Annotated[
        str | None, typer.Argument(help="What the caller said; without it, a text per line of stdin.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    language: Annotated[Language, typer.Option(help="auto looks at the letters.")] = Language.AUTO,
    site: Annotated[str | None, typer.Option(help="Site whose places are checked (default: site.default).")] = None,
) -> None:
    """Kind, category, urgency, department, place, name and phone of what a caller said, each with its evidence."""
    from callcenter.config import load_settings
    from callcenter.speech.understand import load_understander

    understander = load_understander(load_settings())
    if site is not None and site not in understander.sites:
        raise SpeechError(
            "understand.no_such_site", f"no site {site!r}", where="--site",
            mend=f"one of: {', '.join(sorted(understander.sites)) or 'none here'}",
        )  # fmt: skip
    lines: Iterable[str] = [text] if text is not None else _lines()
    for line in lines:
        said = line.strip()
        spoken = ("en" if said.isascii() and said else "zh") if language is Language.AUTO else str(language)
        understood = understander.understand(said, spoken, site)
        print(json.dumps(as_dict(understood), ensure_ascii=False) if as_json else _sentence(understood), flush=True)
