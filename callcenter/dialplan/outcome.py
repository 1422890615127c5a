"""What is left of a talk when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from callcenter.dialplan.phone import OpenedTicket
from callcenter.domain.labels import Understanding


class EndedBy(StrEnum):
    """Who ended the call."""

    SCRIPT = "script"
    CALLER = "caller"
    OPERATOR = "operator"
    """Bridged to a person; the talk of the two is over."""
    ERROR = "error"
    """Something of ours broke; apologised, said goodbye, recorded what was heard."""


@dataclass(frozen=True)
class Outcome:
    """Everything the talk brought, whoever ended it and wherever (R5).

    `reason` is the script's (`done`, `silence`, `unclear`, `too_long`, `after_transfer`), `caller`, or an error's
    code. `fields` are those of a ticket; `heard` is every turn of the caller in order.
    """

    ended_by: EndedBy
    reason: str
    steps: tuple[str, ...]
    heard: tuple[str, ...]
    understanding: Understanding
    fields: dict[str, Any]
    ticket: OpenedTicket | None
    flags: frozenset[str]
    turns: int
    notice_given: bool
    goodbye_said: bool
    answers: dict[str, str] = field(default_factory=dict)
    """Of a follow-up call: `solved` yes or no, `score` 1 to 5 (R23)."""

    @property
    def objected(self) -> bool:
        """The caller objected to the recording."""
        return "objected" in self.flags

    @property
    def needs_ticket(self) -> bool:
        """Something was said but no ticket is open: whoever runs the script opens one from `fields` (R5)."""
        return self.ticket is None and bool(self.fields.get("text"))
