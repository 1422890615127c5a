"""Journal records: what a node writes down and ships to the desks, and what the event table holds.

A record is one JSON line of a journal and, once shipped, one row of `event`; (journal, seq) is its key.
Bodies are plain JSON; the fields of each kind are listed in docs/architecture.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class RecordKind(StrEnum):
    """What happened. `call.*` and `ticket.*` from lines, `edge.*` from edges."""

    CALL_RINGING = "call.ringing"
    CALL_ANSWERED = "call.answered"
    CALL_STEP = "call.step"
    CALL_SAID = "call.said"
    CALL_HEARD = "call.heard"
    CALL_DTMF = "call.dtmf"
    CALL_UNDERSTOOD = "call.understood"
    CALL_TRANSFER = "call.transfer"
    CALL_HOLD = "call.hold"
    CALL_GAP = "call.gap"
    CALL_ENDED = "call.ended"
    CALL_RECORDING = "call.recording"
    CALL_TRANSCRIBED = "call.transcribed"
    TICKET_OPENED = "ticket.opened"
    TICKET_AMENDED = "ticket.amended"
    EDGE_UNSERVED = "edge.unserved"
    PERSON_CALL = "person.call"
    """An outbound call to a person of ours or a resident, and what came of it (R13, R22, R23)."""
    PERSON_ANSWER = "person.answer"


@dataclass(frozen=True)
class Record:
    """One fact. `at` is aware UTC; `call` is a UUIDv7 minted by the node; `seq` counts from 1 in its journal."""

    journal: UUID
    seq: int
    at: datetime
    kind: RecordKind
    site: str
    call: UUID | None
    body: dict[str, Any]
    version: int = 1
