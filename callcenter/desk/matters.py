"""Tickets between domain and database: loaded under a lock, changed by the rule's functions, saved with their events.

One transaction holds the lock, the events, the row and what has to be done because of them; so every effect happens
once, and a matter has exactly one responsible person at every commit (R14).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from callcenter.desk.events import DeskEvent, payload
from callcenter.desk.models import NewsKind
from callcenter.domain import codec
from callcenter.domain.clockwork import next_tick_at
from callcenter.domain.deadlines import Clock
from callcenter.domain.effects import Effect, EffectKind, Outcome
from callcenter.domain.labels import Understanding
from callcenter.domain.responsibility import Decision
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import RULE, Act, TicketEvent, TicketState
from callcenter.domain.work import absorb
from callcenter.errors import DomainError, StoreError
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_sql = statements("ticket")
_saves = statements("save")
_resident = statements("resident")

ROSTER_AROUND = timedelta(days=3)
"""Hours of the roster that a decision looks at, before and after its moment."""

TOLD = frozenset({EffectKind.TELL, EffectKind.WARN, EffectKind.ESCALATE, EffectKind.ASK})
TASKS = frozenset({EffectKind.CONFIRM, EffectKind.FOLLOW_UP, EffectKind.REPORT, EffectKind.SETTLE})
UNSENT = frozenset({EffectKind.CALL_BACK, EffectKind.SETTLE})
"""What stands on a list, and is sent to nobody by itself."""
ENDS_TASK = {
    Act.CONFIRM: EffectKind.CONFIRM, Act.REPORTED: EffectKind.REPORT, Act.SATISFIED: EffectKind.FOLLOW_UP,
    Act.UNSATISFIED: EffectKind.FOLLOW_UP, Act.REOPEN: EffectKind.FOLLOW_UP, Act.SETTLE: EffectKind.SETTLE,
    Act.DONE: EffectKind.SETTLE,
}  # fmt: skip
DROPS_TASK = {Act.NOT_MAJOR: EffectKind.REPORT}
ENDS_ALL = frozenset({Act.JOIN, Act.ARCHIVE})


@dataclass(frozen=True)
class Opened:
    """What a new ticket has besides its state."""

    call: UUID | None
    decision: Decision
    labels: Understanding
    content: str
    spoken: bool
    complete: bool
    opened_at: datetime


async def situation(desk: Desk, connection: Connection, site: str, at: datetime | None = None) -> Situation:
    """The people, roster and figures of a site at a moment (default: now)."""
    at = at or datetime.now(UTC)
    ours = desk.site(site)
    roster = await desk.roster(connection, site, at - ROSTER_AROUND, at + ROSTER_AROUND)
    return Situation(ours.organisation, roster, ours.rules_at(at), at)


def number_of(ticket: str) -> int:
    """A ticket's number as the database has it. Raises StoreError `ticket.unknown` for what is none."""
    if not ticket.isdigit():
        raise StoreError("ticket.unknown", f"{ticket!r} is no ticket number")
    return int(ticket)


def state_of(life: Any) -> TicketState:
    """A ticket from its column `life`."""
    return codec.from_plain(TicketState, life)


async def load(connection: Connection, number: int) -> TicketState:
    """The matter a number stands for, under a lock until the transaction ends; an alias leads to what it joined.

    Raises StoreError `ticket.unknown`.
    """
    resolved = await _sql.resolve(connection, number=number)
    row = await _sql.lock(connection, number=resolved) if resolved is not None else None
    if row is None:
        raise StoreError("ticket.unknown", f"there is no ticket {number}", mend="look at the number again")
    if row["joined_to"] is not None:  # joined while we waited for the lock
        return await load(connection, row["joined_to"])
    return state_of(row["life"])


async def open_states(
    connection: Connection, site: str, *, number: str | None, household: str | None, building: str | None,
    room: str | None, about: str | None = None, but: int = 0,
) -> list[TicketState]:  # fmt: skip
    """Open matters of the same number, household or door, or the one named (R17), newest first."""
    return [
        state_of(row["life"])
        async for row in _sql.open_of(
            connection, site=site, number=number, household=household, building=building, room=room,
            about=int(about) if about and about.isdigit() else None, but=but,
        )
    ]  # fmt: skip


async def insert(desk: Desk, connection: Connection, around: Situation, outcome: Outcome, opened: Opened) -> bool:
    """Save a new ticket with its events and effects; False (and nothing saved) when its number or call has one."""
    number = await _sql.insert(
        connection, **columns(around, outcome.state), call=opened.call, opened_at=opened.opened_at,
        decision=codec.to_plain(opened.decision), labels=codec.to_plain(opened.labels),
        content=opened.content, spoken=opened.spoken, complete=opened.complete,
    )  # fmt: skip
    if number is None:
        return False
    await _write(desk, connection, outcome, opened.call)
    return True


async def save(
    desk: Desk, connection: Connection, around: Situation, outcome: Outcome, *, call: UUID | None = None
) -> None:
    """Save a ticket that is under our lock after a step, with the step's events and effects."""
    await written(desk, around, outcome, call=call).flush(connection)


def written(desk: Desk, around: Situation, outcome: Outcome, *, call: UUID | None = None) -> Writing:
    """What a step of a ticket writes."""
    writing = Writing()
    writing.add("update", **columns(around, outcome.state))
    if outcome.events or outcome.effects:
        _plan(desk, writing, outcome, call)
    return writing


def _look_at(around: Situation, state: TicketState) -> datetime | None:
    """When the clock looks at it next: an open matter before the roster that was looked at ends, since leave and turns
    beyond it are not known yet (R14)."""
    following = next_tick_at(around, state)
    if not state.status.open:
        return following
    edge = around.at + ROSTER_AROUND - timedelta(days=1)
    return min(following, edge) if following is not None else edge


def columns(around: Situation, state: TicketState) -> dict[str, Any]:
    running = [t for t in state.timers if t.running and not state.paused(t)]
    due = min(running, key=lambda t: t.due_at, default=None)
    record, matter = state.record, state.matter
    return {
        "number": number_of(state.ticket), "site": state.site, "life": codec.to_plain(state), "version": state.version,
        "status": state.status.value, "joined_to": number_of(state.joined_to) if state.joined_to else None,
        "kind": matter.kind, "category": matter.category, "urgency": matter.urgency, "department": matter.department,
        "caller_name": record.name, "caller_number": record.number,
        "building": matter.place.building, "unit": matter.place.unit, "room": matter.place.room,
        "household": state.call.household, "missing": list(state.missing_fields()),
        "to_confirm": not state.confirmed and state.status.open,
        "first_responder": state.first_responder, "responsible": state.responsible, "asked": state.asked,
        "accept_by": state.accept_by, "accepted_by": state.accepted_by, "major": state.major, "calls": state.calls,
        "refusals": len(state.refusals), "due_at": due.due_at if due else None,
        "due_clock": due.clock.value if due else None, "next_at": _look_at(around, state),
        "done_at": state.done_at, "closed_at": state.closed_at,
    }  # fmt: skip


class Writing:
    """Statements in the making. Rows of one statement are one execution of it; statements keep the order of ORDER.

    Tickets that are written together are different ones, all under our lock.
    """

    ORDER = (
        "update", "event", "end_tasks", "tell", "put_task", "send", "end_callbacks", "set_callback_responsible",
        "close_if_over", "notify",
    )  # fmt: skip

    def __init__(self) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, statement: str, **values: Any) -> None:
        """One row of a statement."""
        self._rows.setdefault(statement, []).append(values)

    def take(self, other: Writing) -> None:
        """What another ticket's step writes as well: each statement is then one execution for all."""
        for statement, rows in other._rows.items():
            self._rows.setdefault(statement, []).extend(rows)

    async def flush(self, connection: Connection) -> None:
        """Send everything, in order, within the transaction that holds the locks.

        Unlike those of lists, the plans of these statements do not depend on values: each is made once.
        """
        await _saves.plan_once(connection)
        for name in self.ORDER:
            if rows := self._rows.get(name):
                await getattr(_saves, name)(connection, rows=rows)
        await _saves.plan_anew(connection)
        self._rows.clear()


async def _write(desk: Desk, connection: Connection, outcome: Outcome, call: UUID | None) -> None:
    writing = Writing()
    _plan(desk, writing, outcome, call)
    await writing.flush(connection)


def _plan(desk: Desk, writing: Writing, outcome: Outcome, call: UUID | None) -> None:
    """What has to be written because of a step of one ticket."""
    state = outcome.state
    number = number_of(state.ticket)
    for event in outcome.events:
        writing.add(
            "event", journal=desk.journal, seq=desk.next_seq(), site=state.site, call=call, ticket=number, at=event.at,
            kind=f"ticket.{event.act.value}", body=codec.to_plain(event), actor=event.actor, rules=[event.rule],
        )  # fmt: skip
        if event.act in ENDS_TASK:
            _end_tasks(writing, number, (ENDS_TASK[event.act],), "done", event)
        elif event.act in DROPS_TASK:
            _end_tasks(writing, number, (DROPS_TASK[event.act],), "dropped", event)
        elif event.act in ENDS_ALL:
            _end_tasks(writing, number, TASKS, "dropped", event)
    for effect in outcome.effects:
        _plan_effect(desk, writing, state, number, effect, call)
    _follow_callbacks(writing, state, number, outcome.events)
    if (over := state.closed_at or state.done_at) is not None:
        writing.add(
            "close_if_over", number=number, at=over, journal=desk.journal, seq=desk.next_seq(),
            kind=DeskEvent.INCIDENT_CLOSED.value, result=state.record.done or None,
            actor=next((e.actor for e in outcome.events if e.actor != RULE), RULE),
            payload=payload(NewsKind.TICKET, state.site, {"ticket": None, "kind": DeskEvent.INCIDENT_CLOSED.value}),
        )  # fmt: skip
    kind = outcome.events[-1].act.value if outcome.events else "told"
    news = {"ticket": number, "kind": kind, "urgency": state.urgency}
    writing.add("notify", payload=payload(NewsKind.TICKET, state.site, news))


def _end_tasks(writing: Writing, number: int, kinds: Iterable[EffectKind], how: str, event: TicketEvent) -> None:
    for kind in kinds:
        writing.add("end_tasks", ticket=number, kind=kind.value, state=how, done_at=event.at, done_by=event.actor)


def _plan_effect(
    desk: Desk, writing: Writing, state: TicketState, number: int, effect: Effect, call: UUID | None
) -> None:
    """Write down what has to be done; whoever does it finds it there."""
    if effect.kind in TOLD:
        writing.add(
            "tell", ticket=number, staff=effect.staff, rule=effect.rule, at=effect.at, zh=effect.zh, en=effect.en
        )
    if effect.kind in TASKS:
        writing.add(
            "put_task", key=f"{effect.kind.value}:{number}", site=state.site, kind=effect.kind.value, ticket=number,
            call=call, staff=effect.staff, due_at=effect.due_at, rule=effect.rule,
            body={"zh": effect.zh, "en": effect.en}, created_at=effect.at,
        )  # fmt: skip
    if effect.kind not in UNSENT:
        writing.add(
            "send", key=effect.key, site=state.site, ticket=number, staff=effect.staff,
            channel="telephone" if effect.ring else "page", urgency=state.urgency, rule=effect.rule,
            body=codec.to_plain(effect), created_at=effect.at, spread=not desk.outward,
        )  # fmt: skip


def _follow_callbacks(writing: Writing, state: TicketState, number: int, events: tuple[TicketEvent, ...]) -> None:
    """Keep the call-back to make in step with the ticket's clock (R5, R22)."""
    for event in events:
        if event.act in {Act.CALLED_BACK, *ENDS_ALL, Act.SATISFIED}:
            how = {Act.JOIN: "joined", Act.CALLED_BACK: "done"}.get(event.act, "done")
            only = event.number if event.act is Act.CALLED_BACK else None
            writing.add(
                "end_callbacks", ticket=number, state=how, done_at=event.at, done_by=event.actor, number=only
            )
    if state.timer(Clock.CALL_BACK) is not None:
        writing.add("set_callback_responsible", ticket=number, responsible=state.responsible)


async def plan_callback(
    connection: Connection, state: TicketState, call: UUID, reason: str, at: datetime, *, number: str | None = None,
    due_at: datetime | None = None,
) -> None:  # fmt: skip
    """Write down the call-back that the ticket's clock asks for, or one `due_at` another time, once for a call: to
    `number` of who was promised it, else to the matter's; none where no number is known."""
    timer = state.timer(Clock.CALL_BACK)
    to, due = number or state.number, due_at or (timer.due_at if timer is not None else None)
    if due is None or to is None:
        return
    await _sql.put_callback(
        connection, site=state.site, call=call, ticket=number_of(state.ticket), household=state.call.household,
        number=to, reason=reason, due_at=due, responsible=state.responsible, at=at,
    )  # fmt: skip


async def callback_due(
    connection: Connection, ticket: str, *, to: str | None = None, but: str | None = None
) -> datetime | None:
    """When the next call-back about a matter is due: to one number, or to others than one; None: none is."""
    found: datetime | None = await _sql.callback_due(connection, ticket=number_of(ticket), to=to, but=but)
    return found


async def plan_promise(connection: Connection, state: TicketState) -> None:
    """Write down the call-back that a person promised: the one to make has this time now, or it is a new one (R22).

    Raises DomainError `r22.under_way` while the resident is being rung.
    """
    timer, number, now = state.timer(Clock.CALL_BACK), number_of(state.ticket), datetime.now(UTC)
    assert timer is not None
    if await _resident.being_called_back(connection, ticket=number, at=now):
        raise DomainError("r22.under_way", "the resident is being rung now", mend="look at it again in a minute")
    values = {
        "ticket": number, "number": state.number, "due_at": timer.due_at, "responsible": state.responsible, "at": now,
    }  # fmt: skip
    if not await _resident.promise_again(connection, **values):
        household = state.call.household
        await _sql.put_callback(
            connection, site=state.site, call=None, household=household, reason="promised", **values
        )


async def renumber(connection: Connection, state: TicketState, before: str) -> None:
    """Who was to be called back, or followed up, at the number `before` is rung at the matter's number now (R22)."""
    await _resident.renumber(connection, ticket=number_of(state.ticket), before=before, number=state.number)


async def save_joined(
    desk: Desk, connection: Connection, around: Situation, state: TicketState, joined: Outcome, into: TicketState, *,
    call: UUID | None = None,
) -> None:  # fmt: skip
    """Save `state` as it is `joined`, and what that means for `into`; a call-back still due and its place in an
    incident go along (R17, R22, R32)."""
    absorbed = absorb(around, into, state)
    number, other = number_of(state.ticket), number_of(into.ticket)
    await _sql.carry_incident(connection, number=number, into=other)
    sooner = any(event.act is Act.PROMISE for event in absorbed.events)
    if sooner or not state.matter.empty:
        await _resident.carry_callbacks(connection, number=number, into=other, every=sooner)
    await save(desk, connection, around, joined, call=call)
    await save(desk, connection, around, absorbed, call=call)


__all__ = ["DeskEvent", "Opened", "insert", "load", "number_of", "open_states", "plan_callback", "save", "situation"]
