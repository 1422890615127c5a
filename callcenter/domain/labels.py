"""What was understood of a matter: labels of the taxonomy, each with its confidence and evidence (R7, R8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

CONFIRM_BELOW = 0.6
"""A kind, category or urgency less sure than this is 待核实: the duty operator listens and confirms."""

RESIDENT = "resident"
"""Source of a call from a resident, which is most calls."""


@dataclass(frozen=True)
class Label(Generic[T]):
    """One understood value. `confidence` is 0..1; `evidence` the caller's words it came from ("" if none)."""

    value: T
    confidence: float
    evidence: str = ""


@dataclass(frozen=True)
class SpokenPlace:
    """A place in figures, as the site's gazetteer names it: building "3", unit "2", room "1102".

    `value` None means "not said". `confidence` is lowered when the gazetteer does not know the place.
    """

    building: Label[str | None] = field(default_factory=lambda: Label(None, 0.0))
    unit: Label[str | None] = field(default_factory=lambda: Label(None, 0.0))
    room: Label[str | None] = field(default_factory=lambda: Label(None, 0.0))

    def __str__(self) -> str:
        """Written form, "3号楼2单元1102室"; "" when nothing was said."""
        parts = ((self.building, "号楼"), (self.unit, "单元"), (self.room, "室"))
        return "".join(f"{label.value}{suffix}" for label, suffix in parts if label.value)


@dataclass(frozen=True)
class Understanding:
    """Labels of one text. The keys are those of `config/taxonomy.yaml`.

    `intents` are what the caller wants of the conversation itself, with confidence: "operator" (人工),
    "yes", "no", "done" (没有了), "repeat", "resident_data" (asks for a resident's data, R10), "objects_recording".
    """

    kind: Label[str]
    category: Label[str]
    urgency: Label[str]
    department: Label[str]
    place: SpokenPlace = field(default_factory=SpokenPlace)
    name: Label[str | None] = field(default_factory=lambda: Label(None, 0.0))
    phone: Label[str | None] = field(default_factory=lambda: Label(None, 0.0))
    intents: tuple[Label[str], ...] = ()
    by: str = "model"
    """`model`, or `rules` when the speech service did not answer in time."""
    source: Label[str] = Label(RESIDENT, 0.0)
    """Who calls, as their words tell: resident, press, authority or mayor_hotline (R15)."""

    @property
    def to_confirm(self) -> bool:
        """Low confidence: 待核实."""
        unsure_who = self.source.value != RESIDENT and self.source.confidence < CONFIRM_BELOW
        labels = (self.kind, self.category, self.urgency)
        return unsure_who or min(label.confidence for label in labels) < CONFIRM_BELOW

    def intends(self, intent: str, at_least: float = 0.5) -> bool:
        """Whether the caller wants `intent`."""
        return any(i.value == intent and i.confidence >= at_least for i in self.intents)


NOTHING = Understanding(
    Label("none", 0.0), Label("other", 0.0), Label("normal", 0.0), Label("service", 0.0), by="rules"
)  # fmt: skip
"""What is understood where no word was said: nothing, with no confidence, so it is 待核实."""
