"""What has to be done in the world because of a ticket: asked, rung, told, warned. The rule returns it as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from callcenter.domain.event_words import words
from callcenter.domain.situation import Situation
from callcenter.domain.ticket_life import apply
from callcenter.domain.tickets import RULE, Act, TicketEvent, TicketState


class EffectKind(StrEnum):
    """What is to be done."""

    ASK = "ask"
    """Ask `staff` to take the matter, until `due_at` (R13)."""
    RELEASE = "release"
    """`staff` need not take it any more: stop ringing."""
    TELL = "tell"
    WARN = "warn"
    """A time limit of theirs comes near, or has passed."""
    ESCALATE = "escalate"
    """Tell somebody of the ladder that a time limit has passed (R24)."""
    CONFIRM = "confirm"
    """待核实: `staff` listens and confirms until `due_at` (R8)."""
    CALL_BACK = "call_back"
    """The resident is rung back by `due_at` (R22)."""
    FOLLOW_UP = "follow_up"
    """回访 by `due_at` (R23)."""
    REPORT = "report"
    """`staff` writes the report by `due_at` (R15)."""
    SETTLE = "settle"
    """`staff`, the office, says who is responsible: theirs to do until it is settled (R16)."""


@dataclass(frozen=True)
class Effect:
    """One thing to do, once: `key` is the same whenever the same step is computed again.

    `ring`: by telephone, at once; otherwise by the person's own choice.
    """

    kind: EffectKind
    key: str
    ticket: str
    staff: str
    at: datetime
    rule: str
    zh: str
    en: str
    ring: bool = False
    due_at: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """A ticket after a step, the events that led there, and what is to be done."""

    state: TicketState
    events: tuple[TicketEvent, ...] = ()
    effects: tuple[Effect, ...] = ()


@dataclass
class Course:
    """A step in the making: events are applied as they are added."""

    situation: Situation
    state: TicketState
    events: list[TicketEvent] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    @classmethod
    def after(cls, situation: Situation, outcome: Outcome) -> Course:
        """One that goes on where another step ended."""
        return cls(situation, outcome.state, list(outcome.events), list(outcome.effects))

    @property
    def at(self) -> datetime:
        """The moment of the step."""
        return self.situation.at

    def add(
        self, act: Act, actor: str = RULE, *, rule: str = "", why: tuple[str, str] | None = None, note_en: str = "",
        **more: Any,
    ) -> None:  # fmt: skip
        """Apply an event; its sentences come from `event_words` unless given as `why`. `note_en`: the English of a
        note that the house itself wrote; people's own words stay as they are."""
        to, note, due_at = more.get("to"), more.get("note", ""), more.get("due_at")
        own_rule, zh, en = words(self.situation, act, actor, to, note, due_at, note_en)
        if why is not None:
            zh, en = why
        event = TicketEvent(act=act, at=self.at, actor=actor, rule=rule or own_rule, zh=zh, en=en, **more)
        self.state = apply(self.state, event)
        self.events.append(event)

    def effect(
        self,
        kind: EffectKind,
        staff: str,
        rule: str,
        sentence: tuple[str, str],
        *,
        ring: bool = False,
        due_at: datetime | None = None,
    ) -> None:
        """Ask for something to be done, once per person, kind and rule in a step."""
        key = f"{self.state.ticket}/{self.state.version}/{kind}/{staff}/{rule}"
        made = Effect(kind, key, self.state.ticket, staff, self.at, rule, *sentence, ring=ring, due_at=due_at)
        if all((e.kind, e.staff, e.rule) != (kind, staff, rule) for e in self.effects):
            self.effects.append(made)

    def tell(self, people: Iterable[str], rule: str, sentence: tuple[str, str], *, ring: bool = False) -> None:
        """Tell several people the same."""
        for staff in people:
            self.effect(EffectKind.TELL, staff, rule, sentence, ring=ring)

    def outcome(self) -> Outcome:
        """The finished step."""
        return Outcome(self.state, tuple(self.events), tuple(self.effects))
