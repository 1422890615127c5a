"""How well the understanding does on labelled sentences: the figures others are promised."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callcenter.speech.linear import LinearModel
from callcenter.speech.understand import Understander


@dataclass(frozen=True)
class Labelled:
    """A sentence with what it means. `slots` holds place, name and phone where they are said."""

    text: str
    kind: str
    category: str
    urgency: str
    slots: dict[str, Any]


def read_labelled(path: Path) -> list[Labelled]:
    """Sentences of a `.jsonl` file."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        slots = {key: row[key] for key in ("place", "name", "phone") if key in row}
        rows.append(Labelled(row["text"], row["kind"], row["category"], row["urgency"], slots))
    return rows


STRANGERS = "strangers"
"""The evaluation file whose author wrote none of the rules; measured apart from the rest."""


def evaluation_files(home: Path) -> tuple[list[Path], list[Path]]:
    """The evaluation sentences of our own under `home`, and those of strangers."""
    files = sorted((home / "evaluation").glob("*.jsonl"))
    return [f for f in files if f.stem != STRANGERS], [f for f in files if f.stem == STRANGERS]


@dataclass(frozen=True)
class Figures:
    """Shares of sentences, 0..1; `emergencies_missed` is a number."""

    sentences: int
    category_error: float
    urgency_error: float
    emergencies_missed: int
    false_emergencies: float
    kind_error: float
    slot_error: float
    calibration_error: float
    to_confirm: float

    def as_dict(self) -> dict[str, float]:
        """Figures by name."""
        return {name: round(value, 4) for name, value in self.__dict__.items()}

    def __str__(self) -> str:
        return "  ".join(f"{name} {value}" for name, value in self.as_dict().items())


def _calibration_error(pairs: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error: how far confidence is from how often it was right."""
    groups: dict[int, list[tuple[float, bool]]] = {}
    for sure, right in pairs:
        groups.setdefault(min(bins - 1, int(sure * bins)), []).append((sure, right))
    return sum(
        abs(sum(s for s, _ in g) / len(g) - sum(r for _, r in g) / len(g)) * len(g) for g in groups.values()
    ) / max(1, len(pairs))


def figures_of(model: LinearModel, files: Sequence[Path]) -> Figures:
    """Figures over the sentences of `files`; files named `english…` are read as English."""
    return figures_over(
        model,
        [(row, "en" if file.stem.startswith("english") else "zh") for file in files for row in read_labelled(file)],
    )


def figures_over(model: LinearModel, rows: Sequence[tuple[Labelled, str]]) -> Figures:
    """Figures over sentences with their language."""
    understander = Understander(model)
    wrong = {"category": 0, "urgency": 0, "kind": 0, "slot": 0}
    missed = false = confirm = slots = 0
    sure: list[tuple[float, bool]] = []
    for row, language in rows:
        told = understander.understand(row.text, language)
        for name in ("category", "urgency", "kind"):
            wrong[name] += getattr(told, name).value != getattr(row, name)
        sure.append((told.category.confidence, told.category.value == row.category))
        missed += row.urgency == "emergency" and told.urgency.value != "emergency"
        false += row.urgency != "emergency" and told.urgency.value == "emergency"
        confirm += told.to_confirm
        for name, value in row.slots.items():
            slots += 1
            found = (
                {part: getattr(told.place, part).value for part in ("building", "unit", "room")}
                if name == "place"
                else getattr(told, name).value
            )
            wrong["slot"] += found != value
    calm = sum(row.urgency != "emergency" for row, _ in rows)
    count = max(1, len(rows))
    return Figures(
        len(rows), wrong["category"] / count, wrong["urgency"] / count, missed, false / max(1, calm),
        wrong["kind"] / count, wrong["slot"] / max(1, slots), _calibration_error(sure), confirm / count,
    )  # fmt: skip
