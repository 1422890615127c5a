"""The life of a ticket: its states, what may happen in each, and the record it keeps (R6, issue of R11–R24).

Everything that happens to a ticket is a `TicketEvent`; `ticket_life.apply` folds events into a `TicketState`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from callcenter.domain.deadlines import Clock, Deadline
from callcenter.domain.matters import Call, Matter, OpenMatter

RULE = "rule"
"""Actor of what the rule does by itself."""
CALLER = "caller"
"""Actor of what the resident does."""


class Status(StrEnum):
    """Where a ticket stands."""

    RECORDED = "recorded"
    """已登记; confirm_needed -> TO_CONFIRM, assign -> ASSIGNED, hand_over -> HANDED_OVER."""
    TO_CONFIRM = "to_confirm"
    """待核实; confirm -> RECORDED."""
    ASSIGNED = "assigned"
    """已派单: somebody is responsible and has not begun; confirm_needed -> TO_CONFIRM where the words came late."""
    HANDED_OVER = "handed_over"
    """待接受: somebody is asked to take it; whoever was responsible still is (R14)."""
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    """等待: for the resident, material or an outside body, with an end."""
    DONE = "done"
    """已办结; follow_up -> FOLLOW_UP_DUE at once (R23)."""
    FOLLOW_UP_DUE = "follow_up_due"
    """待回访; satisfied -> ARCHIVED, unsatisfied -> REOPENED."""
    ARCHIVED = "archived"
    REOPENED = "reopened"
    JOINED = "joined"
    """已并案: its number is another name of the matter it joined."""

    @property
    def open(self) -> bool:
        """Whether somebody still answers for it."""
        return self not in (Status.ARCHIVED, Status.JOINED)


UNTAKEN = (Status.RECORDED, Status.TO_CONFIRM, Status.HANDED_OVER, Status.ASSIGNED, Status.REOPENED)
"""Where nobody has taken it or begun: what changes its department or urgency routes it anew."""
STATUS_ZH = {
    Status.RECORDED: "已登记",
    Status.TO_CONFIRM: "待核实",
    Status.ASSIGNED: "已派单",
    Status.HANDED_OVER: "待接受",
    Status.ACCEPTED: "已接受",
    Status.IN_PROGRESS: "处理中",
    Status.WAITING: "等待中",
    Status.DONE: "已办结",
    Status.FOLLOW_UP_DUE: "待回访",
    Status.ARCHIVED: "已归档",
    Status.REOPENED: "重新办理",
    Status.JOINED: "已并案",
}


class Act(StrEnum):
    """What may happen to a ticket."""

    OPEN = "open"
    CONFIRM_NEEDED = "confirm_needed"
    CONFIRM = "confirm"
    ASSIGN = "assign"
    HAND_OVER = "hand_over"
    ASK = "ask"
    """The next of the chain is asked (R13)."""
    PASS_OVER = "pass_over"  # noqa: S105
    """Who was asked let the limit pass, is away or has left (R13)."""
    ACCEPT = "accept"
    REFUSE = "refuse"
    DISPUTE = "dispute"
    """Before the office, which settles it (R16)."""
    SETTLE = "settle"
    SHIFT = "shift"
    """End of the shift: the incoming operator takes over (R14, R27)."""
    RELIEVE = "relieve"
    """Whoever was responsible is away or has left the company."""
    START = "start"
    WAIT = "wait"
    RESUME = "resume"
    DONE = "done"
    FOLLOW_UP = "follow_up"
    """Somebody makes the follow-up call: due with DONE, another's when they are away (R23)."""
    SATISFIED = "satisfied"
    UNSATISFIED = "unsatisfied"
    NOT_REACHED = "not_reached"
    ARCHIVE = "archive"
    REOPEN = "reopen"
    JOIN = "join"
    AMEND = "amend"
    RAISE = "raise"
    """The urgency rises; a matter never becomes less urgent by itself."""
    CALLED_AGAIN = "called_again"
    PROMISE = "promise"
    """A call-back is promised for a time (R22)."""
    ANSWERED = "answered"
    CONTACTED = "contacted"
    CALLED_BACK = "called_back"
    REPORTED = "reported"
    REPORT_BY = "report_by"
    """Whoever was to write the report is away or has left: another does (R15)."""
    NOT_MAJOR = "not_major"
    """A person has listened to what was not sure: it is no major matter after all (R15)."""
    PASSED_OUTSIDE = "passed_outside"
    """Passed on to an outside body, with our follow-up (R5)."""
    NOTE = "note"
    WARN = "warn"
    """A time limit comes near."""
    OVERDUE = "overdue"
    """A time limit has passed: somebody of the ladder is told (R24)."""


_S = Status
_WORKED_ON = (_S.ASSIGNED, _S.ACCEPTED, _S.IN_PROGRESS, _S.REOPENED)
"""WAITING is not among them: a wait is resumed first, so that its clocks go on from the right moment."""
_NOT_DONE = (_S.RECORDED, _S.TO_CONFIRM, _S.HANDED_OVER, _S.WAITING, *_WORKED_ON)
_OPEN = (*_NOT_DONE, _S.DONE, _S.FOLLOW_UP_DUE)


def _stay(*states: Status) -> dict[Status, Status]:
    return {state: state for state in states}


def _go(to: Status, *states: Status) -> dict[Status, Status]:
    return dict.fromkeys(states, to)


TRANSITIONS: dict[Act, dict[Status, Status]] = {
    Act.CONFIRM_NEEDED: _go(_S.TO_CONFIRM, _S.RECORDED, _S.ASSIGNED),
    Act.CONFIRM: _go(_S.RECORDED, _S.TO_CONFIRM) | _stay(*(s for s in _OPEN if s is not _S.TO_CONFIRM)),
    Act.ASSIGN: _go(_S.ASSIGNED, _S.RECORDED, _S.HANDED_OVER, *_WORKED_ON),
    Act.HAND_OVER: _go(_S.HANDED_OVER, _S.RECORDED, _S.TO_CONFIRM, _S.HANDED_OVER, *_WORKED_ON),
    Act.ASK: _stay(_S.HANDED_OVER),
    Act.PASS_OVER: _stay(_S.HANDED_OVER),
    Act.ACCEPT: _go(_S.ACCEPTED, _S.HANDED_OVER),
    Act.REFUSE: _stay(_S.HANDED_OVER),
    Act.DISPUTE: _stay(*_NOT_DONE),
    Act.SETTLE: _go(_S.ASSIGNED, *(s for s in _NOT_DONE if s is not _S.WAITING)),
    Act.SHIFT: _stay(*_OPEN),
    Act.RELIEVE: _stay(*_OPEN) | _go(_S.ASSIGNED, _S.ACCEPTED, _S.IN_PROGRESS),
    Act.START: _go(_S.IN_PROGRESS, _S.ASSIGNED, _S.ACCEPTED, _S.REOPENED),
    Act.WAIT: _go(_S.WAITING, _S.ASSIGNED, _S.ACCEPTED, _S.IN_PROGRESS, _S.REOPENED),
    Act.RESUME: _go(_S.IN_PROGRESS, _S.WAITING),
    Act.DONE: _go(_S.DONE, *_WORKED_ON),
    Act.FOLLOW_UP: _go(_S.FOLLOW_UP_DUE, _S.DONE, _S.FOLLOW_UP_DUE),
    Act.SATISFIED: _go(_S.ARCHIVED, _S.FOLLOW_UP_DUE),
    Act.UNSATISFIED: _go(_S.REOPENED, _S.FOLLOW_UP_DUE),
    Act.NOT_REACHED: _stay(_S.FOLLOW_UP_DUE),
    Act.ARCHIVE: _go(_S.ARCHIVED, _S.RECORDED, _S.DONE),
    Act.REOPEN: _go(_S.REOPENED, _S.ARCHIVED, _S.DONE, _S.FOLLOW_UP_DUE),
    Act.JOIN: _go(_S.JOINED, *_OPEN),
    Act.AMEND: _stay(*_OPEN),
    Act.RAISE: _stay(*_OPEN),
    Act.CALLED_AGAIN: _stay(*_OPEN),
    Act.PROMISE: _stay(*_OPEN),
    Act.ANSWERED: _stay(*_OPEN),
    Act.CONTACTED: _stay(*_OPEN),
    Act.CALLED_BACK: _stay(*_OPEN),
    Act.REPORTED: _stay(*_OPEN, _S.ARCHIVED),
    Act.REPORT_BY: _stay(*_OPEN, _S.ARCHIVED),
    Act.NOT_MAJOR: _stay(*_OPEN),
    Act.PASSED_OUTSIDE: _stay(*_NOT_DONE),
    Act.NOTE: _stay(*Status),
    Act.WARN: _stay(*_OPEN, _S.ARCHIVED),
    Act.OVERDUE: _stay(*_OPEN, _S.ARCHIVED),
}
"""The one table: what may happen, in which states, and the state after it. OPEN makes a ticket and stands outside."""


class WaitFor(StrEnum):
    """The reasons for which clocks pause; there are no others."""

    RESIDENT = "resident"
    MATERIAL = "material"
    OUTSIDE_BODY = "outside_body"


PAUSABLE = frozenset({Clock.CLOSE, Clock.INVESTIGATION})
"""Clocks that a wait holds. The caller is answered and contacted in time all the same (R18, R19)."""


@dataclass(frozen=True)
class Wait:
    """A pause: why, since when, and its end."""

    reason: WaitFor
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Refusal:
    """Who did not want it, when and why (R16)."""

    staff: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Timer:
    """A clock of a ticket: when it is due, whether it was met, and who has been told."""

    clock: Clock
    starts_at: datetime
    due_at: datetime
    met_at: datetime | None = None
    warned: bool = False
    told: tuple[str, ...] = ()
    """Staff of the ladder who know that it is overdue, in the order they were told (R24)."""

    @property
    def running(self) -> bool:
        """Whether it still has to be met."""
        return self.met_at is None

    def overdue(self, at: datetime) -> bool:
        """Whether it should have been met by now."""
        return self.running and at >= self.due_at


@dataclass(frozen=True)
class CallRecord:
    """来电记录表 (R6): who called, from where, about what, who received it and what was done."""

    at: datetime
    name: str | None = None
    number: str | None = None
    building: str | None = None
    unit: str | None = None
    room: str | None = None
    kind: str | None = None
    content: str = ""
    received_by: str | None = None
    done: str = ""

    def missing_fields(self, finished: bool = False) -> tuple[str, ...]:
        """Names of the fields that are still empty; what was done is asked for once the matter is `finished`."""
        needed = ["name", "number", "building", "room", "kind", "content", "received_by"]
        if finished:
            needed.append("done")
        return tuple(name for name in needed if not getattr(self, name))

    @property
    def completeness(self) -> float:
        """Share of the fields that are filled in, 0..1, while the matter is open."""
        return 1 - len(self.missing_fields()) / 7


@dataclass(frozen=True)
class Opening:
    """What a ticket begins with."""

    ticket: str
    site: str
    call: Call
    matter: Matter
    record: CallRecord
    first_responder: str
    responsible: str
    by_duty: bool
    major: bool
    report_by: str | None = None


@dataclass(frozen=True)
class TicketEvent:
    """One thing that happened: who (`actor`: a staff id, "caller" or "rule"), when, why and by which rule.

    The other fields depend on `act`: `to` the person concerned, `due_at` a limit or an end, `note` a person's own
    words, `deadlines` new clocks, `matter` and `record` corrected values, `ticket` the one joined.
    """

    act: Act
    at: datetime
    actor: str
    rule: str
    zh: str
    en: str
    to: str | None = None
    due_at: datetime | None = None
    note: str = ""
    wait: WaitFor | None = None
    clock: Clock | None = None
    deadlines: tuple[Deadline, ...] = ()
    matter: Matter | None = None
    record: CallRecord | None = None
    number: str | None = None
    ticket: str | None = None
    opening: Opening | None = None


@dataclass(frozen=True)
class TicketState:
    """A ticket as its events made it. `responsible` is exactly one person; `first_responder` never changes (R14).

    `by_duty`: responsible as operator on duty, so the next operator takes over (R27). `asked`: who is asked to take
    it until `accept_by`; `asked_before`: who was asked in this hand-over. `version` counts events.
    """

    ticket: str
    site: str
    status: Status
    version: int
    call: Call
    matter: Matter
    record: CallRecord
    opened_at: datetime
    first_responder: str
    responsible: str
    by_duty: bool
    major: bool
    asked: str | None = None
    asked_at: datetime | None = None
    accept_by: datetime | None = None
    asked_before: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    disputed: bool = False
    settled: bool = False
    accepted_by: str | None = None
    confirmed: bool = True
    timers: tuple[Timer, ...] = ()
    wait: Wait | None = None
    numbers: tuple[str, ...] = ()
    calls: int = 1
    reopened: int = 0
    follow_ups_missed: int = 0
    done_at: datetime | None = None
    closed_at: datetime | None = None
    joined_to: str | None = None
    incident: str | None = None
    report_by: str | None = None
    follow_up_by: str | None = None
    """Whose the follow-up call is, once it is due (R23)."""
    outside_body: str | None = None

    @property
    def urgency(self) -> str:
        """R8."""
        return self.matter.urgency

    @property
    def number(self) -> str | None:
        """Where the caller is rung back: the number they gave, else the one they called from; None: not known."""
        return self.record.number or self.call.number

    def timer(self, clock: Clock) -> Timer | None:
        """The running timer of a clock."""
        return next((t for t in self.timers if t.clock is clock and t.running), None)

    def paused(self, timer: Timer) -> bool:
        """Whether the wait holds this clock: only those of PAUSABLE, and not one that was overdue before it."""
        return self.wait is not None and timer.clock in PAUSABLE and timer.due_at > self.wait.since

    def overdue(self, at: datetime) -> tuple[Timer, ...]:
        """Timers whose time has passed and that no wait holds."""
        return tuple(t for t in self.timers if t.overdue(at) and not self.paused(t))

    def missing_fields(self) -> tuple[str, ...]:
        """Fields of the record that are still empty (R6)."""
        return self.record.missing_fields(finished=self.status in (Status.DONE, Status.FOLLOW_UP_DUE, Status.ARCHIVED))

    def open_matter(self) -> OpenMatter:
        """As the snapshot carries it."""
        return OpenMatter(
            ticket=self.ticket,
            kind=self.matter.kind,
            category=self.matter.category,
            urgency=self.matter.urgency,
            department=self.matter.department,
            place=self.matter.place,
            first_responder=self.first_responder,
            responsible=self.responsible,
            state=self.status.value,
            opened_at=self.opened_at,
            numbers=self.numbers,
            household=self.call.household,
            incident=self.incident,
        )

    def with_timer(self, timer: Timer) -> TicketState:
        """With `timer` in the place of the running one of its clock."""
        others = tuple(t for t in self.timers if not (t.clock is timer.clock and t.running))
        return replace(self, timers=(*others, timer))
