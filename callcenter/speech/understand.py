"""Understanding: rules for dangers and slots, a linear model for the labels, the most urgent matter first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callcenter.config import ROOT, Settings
from callcenter.domain.labels import NOTHING, Label, Understanding
from callcenter.domain.places import Gazetteer
from callcenter.domain.understanding.callers import find_source
from callcenter.domain.understanding.contact import only_introduces
from callcenter.domain.understanding.dangers import Danger, find_dangers, only_a_leak
from callcenter.domain.understanding.rules import (
    DEPARTMENT_OF,
    HELP_CATEGORIES,
    slots,
    urgency_of_caller,
    worst_danger,
)
from callcenter.domain.understanding.text import Utterance, utterance
from callcenter.speech.linear import Floats, LinearModel, softmax

MODEL = ROOT / "models" / "understanding" / "labels.npz"

WINDOW = 18
"""Characters (words in English: a third) of the windows a long text is also read in."""
MOST_WINDOWS = 24
"""A very long text is read in longer windows: understanding has 300 ms."""
EMERGENCY_AT = 0.45
"""Where no rule saw a danger: nearly an even chance is enough, and from DOUBTFUL_AT on somebody listens."""
DOUBTFUL_AT = 0.12
"""From one chance in eight somebody has to listen, though it is called none (待核实)."""
WINDOW_SURE = 0.9
"""A window alone is half a thought: it must be surer than the whole."""
EMERGENCY_IN_CALM_MATTERS_AT = 0.9
"""Where all the rest speaks of a category in which nobody is hurt (a parcel, a bill, a lost umbrella)."""
CALM_CATEGORIES = frozenset(
    {
        "lost_found",
        "message",
        "parcel_visit",
        "fees",
        "staff",
        "home_service",
        "renovation",
        "other",
        "noise",
        "cleaning",
    }
)
EMERGENCY_WHERE_DENIED_AT = 0.8
"""Where the rules saw dangers only denied, past or imagined."""
_DANGER_BONUS = 2.5


@dataclass(frozen=True)
class _Reading:
    """Scores of the whole text or of a window, and where it stands."""

    start: int
    end: int
    scores: dict[str, Floats]
    emergency: float


class Understander:
    """Understands texts for any site. Safe to use from several threads."""

    def __init__(
        self,
        model: LinearModel,
        gazetteers: Mapping[str, Gazetteer] | None = None,
        departments: Mapping[str, str] | None = None,
        default_site: str | None = None,
    ) -> None:
        self._model = model
        self._gazetteers = dict(gazetteers or {})
        self._departments = dict(departments or DEPARTMENT_OF)
        self._default_site = default_site

    @property
    def sites(self) -> frozenset[str]:
        """Sites whose places are known."""
        return frozenset(self._gazetteers)

    def understand(self, text: str, language: str = "zh", site: str | None = None) -> Understanding:
        """Labels of everything a caller said."""
        language = "en" if language.startswith("en") else "zh"
        said = utterance(text)
        gazetteer = self._gazetteers.get(site or self._default_site or "")
        dangers = find_dangers(said, language)
        place, name, phone, intents = slots(said, language, gazetteer, worst_danger(dangers))
        kind, category, urgency = self._labels(said, language, dangers)
        source = find_source(said, language)
        urgency = urgency_of_caller(urgency, source)
        department = Label(self._departments.get(category.value, "service"), category.confidence, category.evidence)
        return Understanding(kind, category, urgency, department, place, name, phone, intents, source=source)

    def chance_of_emergency(self, text: str, language: str = "zh") -> float:
        """How likely the model alone, without the rules, thinks a text an emergency, 0..1."""
        said = utterance(text)
        return self._read(said, language, 0, len(said.text)).emergency

    def _labels(
        self, said: Utterance, language: str, dangers: tuple[Danger, ...]
    ) -> tuple[Label[str], Label[str], Label[str]]:
        """Kind, category and urgency."""
        if not said.has_words or (language == "en" and not dangers and only_introduces(said)):
            return NOTHING.kind, NOTHING.category, NOTHING.urgency
        whole = self._read(said, language, 0, len(said.text))
        readings = [whole, *(self._read(said, language, a, b) for a, b in _windows(said, language))]
        worst = max(readings, key=lambda r: r.emergency)
        danger = worst_danger(dangers)
        emergency = self._emergency(whole, worst, danger, dangers, self._calmness(language, whole))
        if danger is None and language == "zh" and only_a_leak(said):
            emergency = None  # 水管漏水了; the model would have somebody rung at night
        if emergency is not None:
            focus = worst if worst.emergency >= EMERGENCY_AT else whole
            return self._urgent_labels(said, language, focus, whole, danger, emergency)
        return self._calm_labels(said, language, whole)

    def _read(self, said: Utterance, language: str, start: int, end: int) -> _Reading:
        part = Utterance(said.raw, said.text[start:end], said.mended[start:end], said.at[start:end])
        scores = self._model.scores(part, language)
        classes = self._model.classes(language, "urgency")
        return _Reading(start, end, scores, float(softmax(scores["urgency"])[classes.index("emergency")]))

    def _calmness(self, language: str, whole: _Reading) -> float:
        """How sure the matter is one of the categories in which nobody is hurt, 0..1."""
        odds = softmax(whole.scores["category"])
        classes = self._model.classes(language, "category")
        return float(sum(p for p, category in zip(odds, classes, strict=True) if category in CALM_CATEGORIES))

    def _emergency(
        self, whole: _Reading, worst: _Reading, danger: Danger | None, dangers: tuple[Danger, ...], calmness: float
    ) -> float | None:
        """How sure it is that this is an emergency, None if it is none."""
        if danger is not None:
            return max(worst.emergency, 0.5 + 0.4 * danger.strength)
        needed = EMERGENCY_AT + calmness * (EMERGENCY_IN_CALM_MATTERS_AT - EMERGENCY_AT)
        if dangers:
            needed = EMERGENCY_WHERE_DENIED_AT
        seen = max(whole.emergency, worst.emergency if worst.emergency > WINDOW_SURE else 0.0)
        return seen if seen >= needed else None

    def _urgent_labels(
        self, said: Utterance, language: str, focus: _Reading, whole: _Reading, danger: Danger | None, emergency: float
    ) -> tuple[Label[str], Label[str], Label[str]]:
        classes = self._model.classes(language, "category")
        scores = focus.scores["category"] + 0.3 * whole.scores["category"]
        if danger is not None and danger.category in classes:
            scores = scores.copy()
            scores[classes.index(danger.category)] += _DANGER_BONUS * danger.strength
        odds = softmax(scores)
        best = int(odds.argmax())
        evidence = danger.evidence if danger else _short(said, focus)
        category = Label(classes[best], _sure(odds[best]), evidence)
        kind = self._best(language, "kind", focus, evidence)
        if kind.value not in ("help", "repair"):
            kind = Label("help" if category.value in HELP_CATEGORIES else "repair", max(0.6, kind.confidence), evidence)
        return kind, category, Label("emergency", _sure(emergency), evidence)

    def _calm_labels(
        self, said: Utterance, language: str, whole: _Reading
    ) -> tuple[Label[str], Label[str], Label[str]]:
        evidence = _short(said, whole)
        classes = self._model.classes(language, "urgency")
        scores = whole.scores["urgency"].copy()
        scores[classes.index("emergency")] = -np.inf
        odds = softmax(scores)
        best = int(odds.argmax())
        sure = float(odds[best]) * (1 - whole.emergency)
        if whole.emergency > DOUBTFUL_AT:
            sure = min(sure, 0.55)
        return (
            self._best(language, "kind", whole, evidence),
            self._best(language, "category", whole, evidence),
            Label(classes[best], _sure(sure), evidence),
        )

    def _best(self, language: str, head: str, reading: _Reading, evidence: str) -> Label[str]:
        odds = softmax(reading.scores[head])
        best = int(odds.argmax())
        return Label(self._model.classes(language, head)[best], _sure(odds[best]), evidence)


def _sure(probability: float | np.float32) -> float:
    return round(min(0.99, float(probability)), 2)


def _short(said: Utterance, reading: _Reading, most: int = 40) -> str:
    """The caller's words a label came from, at most 40 characters."""
    words = said.evidence(reading.start, reading.end).strip()
    return words if len(words) <= most else words[:most] + "…"


def _windows(said: Utterance, language: str) -> Iterator[tuple[int, int]]:
    """Overlapping parts of a text too long to be one thought."""
    width = max(WINDOW * 3 if language == "en" else WINDOW, len(said.text) // MOST_WINDOWS)
    if len(said.text) <= width * 3 // 2:
        return
    step = width // 2
    for start in range(0, len(said.text) - step, step):
        yield start, min(len(said.text), start + width)


def load_understander(settings: Settings, model: Path = MODEL) -> Understander:
    """The node's understander with all sites' gazetteers and departments. Raises what reading them raises."""
    from callcenter.site.places import load_places
    from callcenter.site.taxonomy import load_taxonomy

    folder = settings.sites_dir
    files = sorted(folder.glob("*/places.yaml")) if folder.is_dir() else []
    gazetteers = {file.parent.name: load_places(file, file.parent.name) for file in files}
    departments = {key: category.department for key, category in load_taxonomy().categories.items()}
    return Understander(LinearModel.load(model), gazetteers, departments, settings.site.default)
