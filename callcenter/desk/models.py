"""What the desk tells its pages and its API: frozen values, one per noun. Times are aware UTC, durations in ms.

Phone numbers are whole here; the web masks them by role (R10).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from callcenter.domain.explain import Reason
from callcenter.domain.labels import Understanding


@dataclass(frozen=True)
class Account:
    """A login. `site` None: every site. `argon2` is the password's hash."""

    id: int
    login: str
    name: str
    role: str
    argon2: str
    site: str | None = None
    staff: str | None = None
    department: str | None = None
    language: str = "zh-CN"
    active: bool = True
    must_change: bool = False
    created_at: datetime | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True)
class StaffName:
    """A member of staff as pages name them."""

    id: str
    name: str
    title: str
    name_en: str = ""
    title_en: str = ""
    department: str = ""
    extension: str | None = None
    mobile: str | None = None


@dataclass(frozen=True)
class LiveText:
    """Words being spoken now, not final."""

    leg: str
    start_ms: int
    text: str


@dataclass(frozen=True)
class CallRow:
    """A call in a list. `state`: ringing, talking, held, transferring, bridged, ended; `ticket`: its matter."""

    id: UUID
    site: str
    state: str
    from_number: str | None
    to_number: str | None
    ringing_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    duration_ms: int | None
    rings: int | None
    answered: bool
    end_reason: str | None
    unserved: str | None
    step: str | None
    household: str | None
    """Key of the household, "3-2-1102", when the number is known."""
    caller_name: str | None
    labels: Understanding | None
    ticket: int | None
    urgency: str | None
    last_text: str = ""
    """The newest words, final or not."""
    live: tuple[LiveText, ...] = ()


@dataclass(frozen=True)
class StripCall:
    """One call of a day's picture. `over`: it has ended."""

    ringing_at: datetime
    duration_ms: int | None
    answered: bool
    over: bool
    urgency: str | None
    category: str | None


@dataclass(frozen=True)
class DayOfCalls:
    """A day's calls as a picture: figures of all, and the newest of them to draw. `quick`: within the rings asked."""

    calls: int
    answered: int
    quick: int
    tickets: int
    drawn: tuple[StripCall, ...]


@dataclass(frozen=True)
class Turn:
    """One thing said: `leg` is caller, agent or ours. `words` are [word, start_ms, end_ms, confidence]."""

    leg: str
    start_ms: int
    end_ms: int
    text: str
    words: tuple[tuple[str, int, int, float], ...] = ()
    prompt: str | None = None
    interrupted: bool = False
    afterwards: bool = False
    """Decoded after the call, from the recording."""


@dataclass(frozen=True)
class Step:
    """Something that happened in a call or a matter, from its events."""

    at: datetime
    kind: str
    body: dict[str, Any]
    actor: str | None = None
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """`state`: announced (the node still has it), stored, deleted. `path` is given only when stored."""

    call: UUID
    state: str
    duration_ms: int | None
    bytes: int | None
    channels: tuple[str, ...]
    sample_rate_hz: int | None
    sha256: str
    delete_after: datetime | None
    notice_given: bool
    objected: bool
    deleted_at: datetime | None = None
    deleted_why: str | None = None
    path: str | None = None
    peaks: Any = None


@dataclass(frozen=True)
class CallDetail:
    """One call with everything in it. `turns` and `steps` in order of time."""

    call: CallRow
    node: str
    line: int | None
    dialplan: str | None
    sip_call_id: str | None
    invite_to_180_ms: int | None
    answer_ms: int | None
    late_ms: int | None
    answered_by: str | None
    receiver: str | None
    text_complete: bool
    turns: tuple[Turn, ...]
    steps: tuple[Step, ...]
    keys: tuple[tuple[str, int], ...]
    """Keys pressed and when (ms)."""
    recording: Recording | None
    callback: CallbackRow | None
    earlier: tuple[CallRow, ...]
    """Earlier calls of the same number, newest first."""


@dataclass(frozen=True)
class TicketRow:
    """A matter in a list. `due_at`, `due_clock`: what is due next."""

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
    asked: str | None
    """Who is asked to take it over now (R13)."""
    asked_until: datetime | None
    to_confirm: bool
    complete: bool
    major: bool
    repeats: int
    incident: int | None
    joined_to: int | None
    due_at: datetime | None
    due_clock: str | None
    overdue: bool
    revision: int


@dataclass(frozen=True)
class HandoverRow:
    """One person asked (R13). `state`: waiting, accepted, refused, passed, withdrawn."""

    n: int
    to_staff: str
    from_staff: str | None
    role: str
    offered_at: datetime
    limit_at: datetime | None
    state: str
    answered_at: datetime | None
    reason: str


@dataclass(frozen=True)
class DeadlineRow:
    """One time limit (R18–R23). `state`: running, paused, met, missed, dropped."""

    clock: str
    rule: str
    starts_at: datetime
    due_at: datetime
    state: str
    level: int
    met_at: datetime | None


@dataclass(frozen=True)
class ToldRow:
    """Somebody who was told, and by which rule (R9, R15, R17)."""

    staff: str
    rule: str
    at: datetime
    seen_at: datetime | None
    zh: str = ""
    en: str = ""


@dataclass(frozen=True)
class TicketDetail:
    """One matter: its 来电记录表 (R6), reasons, chain, clocks and history."""

    ticket: TicketRow
    call: UUID | None
    labels: Understanding
    building: str | None
    unit: str | None
    room: str | None
    household: str | None
    missing: tuple[str, ...]
    """Fields of R6 that nobody could fill in: caller_name, caller_number, place, content."""
    completed_at: datetime | None
    confirmed_at: datetime | None
    confirmed_by: str | None
    handler: str | None
    accepted_at: datetime | None
    waiting_for: str | None
    waiting_until: datetime | None
    done_at: datetime | None
    result: str | None
    satisfied: bool | None
    archived_at: datetime | None
    refusals: int
    reasons: tuple[Reason, ...]
    chain: tuple[HandoverRow, ...]
    ahead: tuple[str, ...]
    """Who will be asked after the one asked now, in order."""
    deadlines: tuple[DeadlineRow, ...]
    told: tuple[ToldRow, ...]
    history: tuple[Step, ...]
    calls: tuple[CallRow, ...]
    """Every call about it, first to last."""
    tasks: tuple[TaskRow, ...]
    photos: tuple[Photo, ...] = ()
    may: tuple[str, ...] = ()
    """Acts (domain.tickets.Act) that its state allows a person now."""
    source: str = "resident"
    """Who called: resident, press, authority, mayor_hotline (R15)."""
    investigation: bool = False
    """Whether the answer needs one (R20)."""
    outside_body: str | None = None
    """To whom it was passed on, with our follow-up (R5)."""
    disputed: bool = False
    """Whether the office has to settle whose it is (R16)."""


@dataclass(frozen=True)
class TaskRow:
    """Something a person has to do: `kind` is confirm, report, incident, follow_up, settle."""

    id: int
    site: str
    kind: str
    ticket: int | None
    call: UUID | None
    staff: str | None
    due_at: datetime | None
    state: str
    rule: str
    body: dict[str, Any]
    created_at: datetime
    done_at: datetime | None
    done_by: str | None


@dataclass(frozen=True)
class Notice:
    """What somebody was told of another's matter, why, and when (R9, R15, R16, R24)."""

    ticket: int
    urgency: str
    category: str
    rule: str
    at: datetime
    zh: str
    en: str


@dataclass(frozen=True)
class Day:
    """A person's day, each list by its clock."""

    asked: tuple[TicketRow, ...]
    """Waiting for this person's acceptance (R13)."""
    mine: tuple[TicketRow, ...]
    """This person is responsible."""
    followed: tuple[TicketRow, ...]
    """First received by this person, in other hands now: followed until the caller is satisfied (R14)."""
    follow_ups: tuple[TicketRow, ...]
    tasks: tuple[TaskRow, ...]
    """Reports and notices, not the follow-ups."""
    callbacks: tuple[CallbackRow, ...]
    told: tuple[Notice, ...]
    """Of others' matters, and not looked at yet, newest first."""


@dataclass(frozen=True)
class Photo:
    """A picture of the work, by the one who did it. `name` is its file's name in the store, its SHA-256 and kind."""

    name: str
    by: str
    at: datetime
    width: int
    height: int
    bytes: int
    note: str = ""


@dataclass(frozen=True)
class CallbackRow:
    """A call-back to make (R5, R22). `reason`: silence, hang_up, unserved, promised."""

    id: int
    site: str
    call: UUID | None
    ticket: int | None
    number: str
    reason: str
    due_at: datetime
    state: str
    attempts: int
    responsible: str | None
    created_at: datetime
    done_at: datetime | None = None
    done_by: str | None = None
    result: str | None = None
    household: str | None = None


@dataclass(frozen=True)
class OnDuty:
    """Who holds `role` (operator, leader, a department) until when; None: a gap, the last resort answers."""

    role: str
    staff: str | None
    until: datetime | None


@dataclass(frozen=True)
class ShiftRow:
    """One shift of the roster; `stand_in` works it when `staff` is away (None: nobody does)."""

    role: str
    name: str
    staff: str
    stand_in: str | None
    starts_at: datetime
    ends_at: datetime
    absent: bool


@dataclass(frozen=True)
class Duty:
    """R25, R29: who is on duty now, and the emergency contacts."""

    site: str
    at: datetime
    now: tuple[OnDuty, ...]
    last_resort: str
    emergency_numbers: dict[str, str]


@dataclass(frozen=True)
class HouseholdRow:
    """Who lives behind a door."""

    id: int
    key: str
    building: str | None
    unit: str | None
    room: str | None
    people: tuple[tuple[str, tuple[str, ...]], ...]
    """(name, numbers)."""


@dataclass(frozen=True)
class IncidentRow:
    """Alike matters as one incident (R32). No `buildings`: the whole site."""

    id: int
    site: str
    category: str
    buildings: tuple[str, ...]
    opened_at: datetime
    recognised_at: datetime
    major_at: datetime | None
    closed_at: datetime | None
    matters: int
    open_matters: int
    numbers: tuple[int, ...]
    phrase: str
    phrase_en: str


@dataclass(frozen=True)
class Counts:
    """Figures of the bar."""

    calls_now: int
    waiting_for_me: int
    to_confirm: int
    overdue: int
    callbacks: int
    emergencies: int


@dataclass(frozen=True)
class TicketFilter:
    """What a list of matters is narrowed to; None leaves it open. `text` searches what was said and written."""

    state: str | None = None
    open_only: bool = False
    urgency: str | None = None
    department: str | None = None
    category: str | None = None
    responsible: str | None = None
    asked: str | None = None
    to_confirm: bool | None = None
    overdue: bool | None = None
    incident: int | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class CallFilter:
    """What a list of calls is narrowed to. `state`: live, answered, unanswered, unserved."""

    state: str | None = None
    text: str | None = None
    number: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Page:
    """A page of rows, newest first; `next` is the cursor of the page after, None at the end."""

    rows: tuple[Any, ...]
    next: str | None = None


class NewsKind(StrEnum):
    """What the desk's hub tells pages of."""

    PARTIAL = "partial"
    """Words being spoken: call, leg, start_ms, text."""
    CALL = "call"
    """A call changed: call, kind (the record's), ticket."""
    TICKET = "ticket"
    """A matter changed: ticket, kind (the event's)."""
    CALLBACK = "callback"
    TASK = "task"
    DUTY = "duty"


@dataclass(frozen=True)
class News:
    """One piece of live news. `body` holds ids and labels; texts only with PARTIAL."""

    kind: NewsKind
    site: str
    body: dict[str, Any] = field(default_factory=dict)
