"""What the API gives: the desk's values, with numbers as the viewer may see them (R10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from callcenter.desk.models import CallbackRow, CallDetail, CallRow, HouseholdRow, TaskRow, TicketDetail, TicketRow
from callcenter.domain.codec import to_plain
from callcenter.web.api.endpoint import Answer
from callcenter.web.history import history_of
from callcenter.web.names import Names
from callcenter.web.viewer import Viewer


class Call(Answer):
    """A call in a list. Durations in ms, times with zone."""

    id: UUID
    site: str
    state: str = Field(description="ringing, talking, held, transferring, bridged or ended")
    from_number: str | None = Field(description="Masked unless the role sees whole numbers; null when withheld.")
    to_number: str | None
    ringing_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    duration_ms: int | None
    rings: int | None
    answered: bool
    end_reason: str | None
    unserved: str | None
    caller_name: str | None
    household: str | None
    labels: dict[str, Any] | None = Field(description="What was understood, each value with confidence and evidence.")
    ticket: int | None
    urgency: str | None

    @classmethod
    def of(cls, row: CallRow, viewer: Viewer) -> Call:
        """As `viewer` may see it."""
        return cls(
            id=row.id, site=row.site, state=row.state, from_number=viewer.number(row.from_number),
            to_number=row.to_number, ringing_at=row.ringing_at, answered_at=row.answered_at, ended_at=row.ended_at,
            duration_ms=row.duration_ms, rings=row.rings, answered=row.answered, end_reason=row.end_reason,
            unserved=row.unserved, caller_name=row.caller_name, household=row.household,
            labels=shown_labels(row.labels, viewer), ticket=row.ticket, urgency=row.urgency,
        )  # fmt: skip


def shown_labels(labels: Any, viewer: Viewer) -> dict[str, Any] | None:
    """Labels as plain JSON; a number that was understood is masked like any other."""
    if labels is None:
        return None
    plain: dict[str, Any] = to_plain(labels)
    phone = plain.get("phone") or {}
    if phone.get("value"):
        masked = viewer.number(phone["value"])
        plain["phone"] = phone | {
            "value": masked,
            "evidence": phone.get("evidence") if masked == phone["value"] else "",
        }
    return plain


class Turn(Answer):
    """One thing said: `leg` is caller, agent or ours; words are [word, start_ms, end_ms, confidence]."""

    leg: str
    start_ms: int
    end_ms: int
    text: str
    words: list[tuple[str, int, int, float]]
    interrupted: bool


class RecordingFacts(Answer):
    """The recording of a call; `state` announced, stored or deleted."""

    state: str
    duration_ms: int | None
    bytes: int | None
    channels: list[str]
    sample_rate_hz: int | None
    sha256: str
    delete_after: datetime | None
    notice_given: bool
    objected: bool


class WholeCall(Call):
    """One call with everything that was said in it."""

    node: str
    line: int | None
    dialplan: str | None
    answer_ms: int | None
    late_ms: int | None
    receiver: str | None
    text_complete: bool
    turns: list[Turn]
    recording: RecordingFacts | None

    @classmethod
    def whole(cls, detail: CallDetail, viewer: Viewer) -> WholeCall:
        """As `viewer` may see it."""
        recording = RecordingFacts.model_validate(detail.recording) if detail.recording else None
        return cls(
            **dict(Call.of(detail.call, viewer)), node=detail.node, line=detail.line, dialplan=detail.dialplan,
            answer_ms=detail.answer_ms, late_ms=detail.late_ms, receiver=detail.receiver,
            text_complete=detail.text_complete, turns=[Turn.model_validate(turn) for turn in detail.turns],
            recording=recording,
        )  # fmt: skip


class Calls(Answer):
    """A page of calls, newest first; `next` goes into `before` for the page after."""

    calls: list[Call]
    next: str | None


class Ticket(Answer):
    """A matter in a list. Labels are keys of the taxonomy, people ids of staff."""

    number: int
    site: str
    state: str
    opened_at: datetime
    kind: str
    category: str
    urgency: str
    department: str
    place: str
    caller_name: str | None
    caller_number: str | None
    content: str
    first_responder: str
    responsible: str
    asked: str | None = Field(description="Who is asked to take it over now (R13).")
    asked_until: datetime | None
    to_confirm: bool
    complete: bool
    major: bool
    repeats: int
    joined_to: int | None
    due_at: datetime | None
    due_clock: str | None
    overdue: bool
    revision: int

    @classmethod
    def of(cls, row: TicketRow, viewer: Viewer) -> Ticket:
        """As `viewer` may see it."""
        values = {name: getattr(row, name) for name in cls.model_fields if name in Ticket.model_fields}
        return cls.model_construct(**values | {"caller_number": viewer.number(row.caller_number)})


class Reason(Answer):
    """Why something is as it is, by which rule."""

    rule: str
    zh: str
    en: str


class Handover(Answer):
    """One person asked to take the matter over; `state` waiting, accepted, refused, passed or withdrawn."""

    n: int
    to_staff: str
    from_staff: str | None
    role: str
    offered_at: datetime
    limit_at: datetime | None
    state: str
    answered_at: datetime | None
    reason: str


class Deadline(Answer):
    """One time limit; `state` running, paused, met, missed or dropped."""

    clock: str
    rule: str
    starts_at: datetime
    due_at: datetime
    state: str
    level: int
    met_at: datetime | None


class Happened(Answer):
    """One event of the history, oldest first: what happened, who did it, why, by which rules."""

    at: datetime
    kind: str
    actor: str | None
    rules: list[str]
    text: str = Field(description="In the reader's language.")
    detail: str = Field(description="What changed, or what was said of it; empty where the text says all.")


class WholeTicket(Ticket):
    """One matter: record (R6), reasons, chain, clocks, history, and what may be done with it now."""

    building: str | None
    unit: str | None
    room: str | None
    missing: list[str] = Field(description="Fields of R6 that nobody could fill in.")
    labels: dict[str, Any] | None
    handler: str | None
    result: str | None
    source: str = Field(description="Who called: resident, press, authority or mayor_hotline (R15).")
    investigation: bool = Field(description="Whether the answer needs one (R20).")
    outside_body: str | None = Field(description="To whom it was passed on, with our follow-up (R5).")
    refusals: int
    disputed: bool = Field(description="Whether the office has to settle whose it is (R16).")
    reasons: list[Reason]
    chain: list[Handover]
    ahead: list[str]
    deadlines: list[Deadline]
    history: list[Happened]
    calls: list[Call]
    may: list[str] = Field(description="Acts open to this account now.")

    @classmethod
    def whole(cls, detail: TicketDetail, viewer: Viewer, may: list[str], names: Names) -> WholeTicket:
        """As `viewer` may see it, its history in the language of `names`."""
        return cls(
            **dict(Ticket.of(detail.ticket, viewer)), building=detail.building, unit=detail.unit, room=detail.room,
            missing=list(detail.missing), labels=shown_labels(detail.labels, viewer), handler=detail.handler,
            result=detail.result, refusals=detail.refusals, ahead=list(detail.ahead), may=may,
            reasons=[Reason.model_validate(r) for r in detail.reasons],
            chain=[Handover.model_validate(h) for h in detail.chain],
            deadlines=[Deadline.model_validate(d) for d in detail.deadlines],
            history=[Happened.model_validate(one) for one in reversed(history_of(detail, names))],
            calls=[Call.of(c, viewer) for c in detail.calls], source=detail.source,
            investigation=detail.investigation, outside_body=detail.outside_body, disputed=detail.disputed,
        )  # fmt: skip


class Tickets(Answer):
    """A page of matters, newest first; `next` goes into `before` for the page after."""

    tickets: list[Ticket]
    next: str | None


class Callback(Answer):
    """A call-back to make (R5, R22); `reason` silence, hang_up, unserved or promised."""

    id: int
    call: UUID | None
    ticket: int | None
    number: str | None
    reason: str
    due_at: datetime
    state: str
    attempts: int
    responsible: str | None
    result: str | None

    @classmethod
    def of(cls, row: CallbackRow, viewer: Viewer) -> Callback:
        """As `viewer` may see it."""
        values = {name: getattr(row, name) for name in cls.model_fields}
        return cls.model_construct(**values | {"number": viewer.number(row.number)})


class Task(Answer):
    """Something a person has to do."""

    id: int
    kind: str
    ticket: int | None
    call: UUID | None
    staff: str | None
    due_at: datetime | None
    rule: str

    @classmethod
    def of(cls, row: TaskRow) -> Task:
        """From the desk's row."""
        return cls.model_validate(row)


class Household(Answer):
    """Who lives behind a door; numbers as the viewer may see them."""

    key: str
    building: str | None
    unit: str | None
    room: str | None
    people: list[tuple[str, list[str]]]

    @classmethod
    def of(cls, row: HouseholdRow, viewer: Viewer) -> Household:
        """As `viewer` may see it."""
        people = [(name, [viewer.number(n) or "" for n in numbers]) for name, numbers in row.people]
        return cls(key=row.key, building=row.building, unit=row.unit, room=row.room, people=people)
