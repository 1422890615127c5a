"""Intake: every call becomes exactly one matter, with the final text, its labels, and the full rule (R5, R6, R11–R17).

A ticket opens during the call, on the line, with the number the caller hears; here it is completed after the call, or
opened where the call ended before it could be. Corrections are events, never silent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from callcenter.desk import alike, labelling, matters, residents_rung, search
from callcenter.desk.events import DeskEvent, write_event
from callcenter.domain import codec
from callcenter.domain.again import called_again
from callcenter.domain.deadlines import Clock
from callcenter.domain.effects import Outcome
from callcenter.domain.handover import open_ticket, relabel
from callcenter.domain.homes import at_home
from callcenter.domain.labels import Understanding
from callcenter.domain.matters import WATCHED_SOURCES, Call, Matter, joined_matter
from callcenter.domain.numbers import canonical
from callcenter.domain.places import Place
from callcenter.domain.responsibility import Decision, decide
from callcenter.domain.situation import Situation
from callcenter.domain.ticket_life import apply
from callcenter.domain.tickets import RULE, Act, CallRecord, Status, TicketEvent, TicketState
from callcenter.domain.work import promise_call_back
from callcenter.errors import DomainError, StoreError
from callcenter.log import get_logger
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk
    from callcenter.desk.jobs import Job
    from callcenter.desk.projection import Applying

log = get_logger("desk.intake")
_calls = statements("call")
_tickets = statements("ticket")
_events = statements("event")
_house = statements("house")

LATE_S = 60
"""A ticket that arrives later than this (the desk was away) asks people from now on, not from then."""

NOT_OURS = frozenset({"refused"})
"""INVITEs that nobody may send us are recorded, but are no matter."""

_UNTAKEN = frozenset({Status.RECORDED, Status.TO_CONFIRM, Status.HANDED_OVER, Status.ASSIGNED})


@dataclass(frozen=True)
class Received:
    """One call as intake sees it."""

    desk: Desk
    connection: Connection
    id: UUID
    site: str
    at: datetime
    number: str | None
    household: str | None
    receiver: str | None

    @property
    def call(self) -> Call:
        """As the rule sees it."""
        return Call(self.site, self.number, self.household)

    def place(self, labels: Understanding) -> Place:
        """Where it is: as spoken, completed by the gazetteer."""
        return self.desk.site(self.site).gazetteer.complete(Place.spoken(labels.place))

    def matter(self, labels: Understanding, fields: dict[str, Any]) -> Matter:
        """The matter of these labels and of what the talk set."""
        by = fields.get("callback_by")
        place = self.place(labels)
        matter, lacks = Matter.understood(labels, place), self.desk.site(self.site).gazetteer.lacks(place)
        return replace(
            matter,
            to_confirm=matter.to_confirm or bool(fields.get("confirm")) or lacks,
            about=str(fields["joins"]) if fields.get("joins") else None,
            call_back_at=datetime.fromisoformat(str(by)) if by else None,
        )

    def record(self, labels: Understanding, content: str) -> CallRecord:
        """来电记录表 (R6)."""
        place = self.place(labels)
        given = canonical(labels.phone.value, self.desk.site(self.site).area_code)
        return CallRecord(
            at=self.at, name=labels.name.value, number=given or self.number, building=place.building, unit=place.unit,
            room=place.room, kind=labels.kind.value, content=content, received_by=self.receiver,
        )  # fmt: skip

    async def one_at_a_time(self, of: str | None) -> None:
        """Two calls of one household, number or door at the same moment: the second finds the matter of the first."""
        if of is not None:
            key = f"caller {self.site} {of}"
            await self.connection.execute("select pg_advisory_xact_lock(hashtext($1))", key)

    async def at_moment(self, moment: datetime) -> Situation:
        """Who is there at that moment; for what arrives late, who is there now."""
        now = datetime.now(UTC)
        late = now - moment > timedelta(seconds=LATE_S)
        return await matters.situation(self.desk, self.connection, self.site, now if late else moment)

    async def open_matters(self, matter: Matter, but: int = 0) -> list[TicketState]:
        """Open matters that this call may be about again (R17)."""
        return await matters.open_states(
            self.connection, self.site, number=self.number, household=self.household, building=matter.place.building,
            room=matter.place.room, about=matter.about, but=but,
        )  # fmt: skip

    async def decide(self, matter: Matter, but: int = 0, *, unheard: bool = False) -> Decision:
        """The full rule at the moment of the call. What is still `unheard` joins nothing: it may be about anything."""
        around = await matters.situation(self.desk, self.connection, self.site, self.at)
        states = [] if unheard else await self.open_matters(matter, but)
        return decide(
            self.call, matter, around.organisation, around.roster, around.rules, self.at,
            [state.open_matter() for state in states], self.receiver,
        )  # fmt: skip


async def _received(desk: Desk, connection: Connection, call: UUID) -> tuple[Received, Any]:
    row = await _calls.for_intake(connection, id=call)
    if row is None:
        raise StoreError("call.unknown", "this call is not known", retryable=True)
    made = Received(
        desk,
        connection,
        call,
        row["site"],
        row["ringing_at"],
        row["from_number"],
        row["household_key"],
        row["receiver"],
    )
    return made, row


async def open_from_line(a: Applying) -> None:
    """`ticket.opened`: opened by the line while the caller was on the phone, with the number they heard."""
    received, row = await _received(a.desk, a.connection, a.call)
    if row["ticket"] is not None or await _tickets.of_call(a.connection, call=a.call) is not None:
        return
    body = a.body
    labels = codec.from_plain(Understanding, body["labels"])
    fields = body.get("fields") or {}
    matter = received.matter(labels, fields)
    unheard = matter.empty and row["gap_from_ms"] is not None
    decision = await (received.decide(matter, unheard=True) if unheard else _decision(received, matter, body))
    number = matters.number_of(str(body["ticket"])) if body.get("ticket") else None
    spoken = bool(body.get("spoken"))
    if unheard and body.get("joins"):
        number, spoken = None, False  # the line took silence for a call about the open matter
    content = str(fields.get("text") or "")
    if decision.joins is not None:
        if number is not None and str(number) == decision.joins:
            number = None  # the caller heard the number of the open matter: no new one
        await _join(received, matter, labels, decision, number, spoken=spoken, moment=a.record.at, why=_why(fields))
        return
    await _open(
        received, matter, labels, decision, number, content, spoken=spoken, complete=False, moment=a.record.at,
        why=_why(fields),
    )  # fmt: skip


def _why(fields: dict[str, Any]) -> str:
    """Why a caller who was on the line is called back, if they are."""
    return "hang_up" if fields.get("left") else "promised"


async def _decision(received: Received, matter: Matter, body: dict[str, Any]) -> Decision:
    """The line's decision, where it still stands on known people and an open matter; else the rule anew."""
    known = received.desk.site(received.site).organisation
    if body.get("decision"):
        try:
            decision = codec.from_plain(Decision, body["decision"])
        except DomainError:
            log.warning("decision_unreadable", mend="nodes and desks should run the same version")
        else:
            people = {decision.first_responder, decision.responsible, *(t.staff for t in decision.tell)}
            if all(known.knows(p) for p in people) and await _still_open(received, decision.joins):
                return decision
    return await received.decide(matter)


async def _still_open(received: Received, joins: str | None) -> bool:
    if joins is None:
        return True
    try:
        state = await matters.load(received.connection, matters.number_of(joins))
    except StoreError:
        return False
    return state.status.open


async def _open(
    received: Received, matter: Matter, labels: Understanding, decision: Decision, number: int | None, content: str,
    *, spoken: bool, complete: bool, moment: datetime, why: str,
) -> int:  # fmt: skip
    """A new ticket for this call; returns its number. `why` the caller is called back, if they are."""
    if number is None:
        number = await take_number(received.connection)
    around = await received.at_moment(moment)
    outcome = open_ticket(
        around, str(number), received.call, matter, decision, received.record(labels, content), received.receiver
    )
    opened = matters.Opened(received.id, decision, labels, content, spoken, complete, moment)
    if not await matters.insert(received.desk, received.connection, around, outcome, opened):
        # Given out before: a node's files were copied or put back. What the caller heard stays in the event.
        log.error("ticket_number_twice", mend="never copy a node's var folder to another")
        return await _open(
            received, matter, labels, decision, None, content, spoken=False, complete=complete, moment=moment, why=why
        )
    await _calls.complete(received.connection, id=received.id, at=None, ticket=number, labels=None)
    await matters.plan_callback(received.connection, outcome.state, received.id, _reason(matter, why), moment)
    await alike.consider(received.connection, number, matter)
    return number


def _reason(matter: Matter, why: str) -> str:
    """Why the caller is called back, as they are told when they are rung."""
    return "silence" if matter.empty and why != "unserved" else why


async def _join(
    received: Received, matter: Matter, labels: Understanding, decision: Decision, number: int | None,
    *, spoken: bool, moment: datetime, why: str,
) -> int:  # fmt: skip
    """R17: the call joins its open matter; a number of its own that was spoken becomes another name of it. `why` the
    caller is called back, if they are."""
    assert decision.joins is not None
    around = await received.at_moment(moment)
    target = await matters.load(received.connection, matters.number_of(decision.joins))
    into = matters.number_of(target.ticket)
    if number is not None:
        joined = replace(decision, joins=target.ticket)
        outcome = open_ticket(around, str(number), received.call, matter, joined, received.record(labels, ""))
        opened = matters.Opened(received.id, joined, labels, "", spoken, True, moment)
        await matters.insert(received.desk, received.connection, around, outcome, opened)
    again = called_again(around, target, received.call, matter)
    await matters.save(received.desk, received.connection, around, again, call=received.id)
    by, back = received.record(labels, "").number, matter.call_back_at
    if matter.empty and target.matter.empty and back is None:  # silent again, perhaps on another phone
        back = moment + timedelta(minutes=around.rules.call_back_within_min)
    if any(event.act is Act.PROMISE for event in again.events):
        await matters.plan_callback(
            received.connection, again.state, received.id, _reason(matter, why), moment, number=by
        )
    elif back is not None and by and not await matters.callback_due(received.connection, target.ticket, to=by):
        await matters.plan_callback(  # others of theirs are called back sooner, on another number
            received.connection, again.state, received.id, _reason(matter, why), moment, number=by, due_at=back
        )
    await _calls.complete(received.connection, id=received.id, at=None, ticket=into, labels=None)
    return into


async def take_number(connection: Connection) -> int:
    """The next number of the desks' own block."""
    number = await _events.take_own_number(connection)
    if number is None:
        await connection.execute("select pg_advisory_xact_lock(hashtext('own numbers'))")
        number = await _events.take_own_number(connection)
    if number is None:
        await _events.lease_block(connection, node="", line=0)
        number = await _events.take_own_number(connection)
    assert number is not None
    return int(number)


async def amend_from_line(a: Applying) -> None:
    """`ticket.amended`: the caller corrected what was read back, still on the phone."""
    if await residents_rung.amended(a):
        return
    row = await _tickets.of_call(a.connection, call=a.call)
    if row is None or row["joined_to"] is not None:
        return
    received, _ = await _received(a.desk, a.connection, a.call)
    labels = codec.from_plain(Understanding, a.body["labels"])
    fields = a.body.get("fields") or {}
    state = matters.state_of(row["life"])
    if not await _tickets.corrected_by_person(a.connection, number=row["number"]):
        state = await _relabel(received, state, labels, fields, str(fields.get("text") or ""), a.record.at)
    await _promise(received, state, fields, a.record.at)
    await _tickets.set_labels(a.connection, number=row["number"], labels=a.body["labels"])


async def _promise(received: Received, state: TicketState, fields: dict[str, Any], moment: datetime) -> None:
    """A call-back that was promised, or became due, after the ticket had been opened (R22)."""
    if not fields.get("callback_by") or not state.status.open or state.timer(Clock.CALL_BACK) is not None:
        return
    around = await received.at_moment(moment)
    outcome = promise_call_back(around, state, RULE, datetime.fromisoformat(str(fields["callback_by"])))
    await matters.save(received.desk, received.connection, around, outcome, call=received.id)
    await matters.plan_callback(received.connection, outcome.state, received.id, _why(fields), moment)


async def _relabel(
    received: Received,
    state: TicketState,
    labels: Understanding,
    fields: dict[str, Any],
    content: str,
    moment: datetime,
) -> TicketState:
    """Bring a ticket up to its labels, as the rule demands; nothing happens where nothing changed."""
    if not state.status.open:
        return state
    found = received.matter(labels, fields)
    doubted = found.to_confirm or (state.matter.to_confirm and not state.matter.empty)
    matter = replace(
        state.matter, kind=found.kind, category=found.category, urgency=found.urgency, department=found.department,
        place=found.place, asks_resident_data=found.asks_resident_data or state.matter.asks_resident_data,
        source=found.source if found.source in WATCHED_SOURCES else state.matter.source, to_confirm=doubted,
    )  # fmt: skip
    record = replace(
        received.record(labels, content),
        received_by=state.record.received_by,
        done=state.record.done,
        at=state.record.at,
    )
    if (matter, record) == (state.matter, state.record):
        return state
    around = await received.at_moment(moment)
    outcome = relabel(around, state, RULE, matter, record)
    await matters.save(received.desk, received.connection, around, outcome, call=received.id)
    if state.matter.empty and not matter.empty:
        await _tickets.silence_broken(received.connection, ticket=matters.number_of(state.ticket))
    number = matters.number_of(state.ticket)
    await alike.corrected(received.desk, received.connection, state.site, number, state.matter, matter, RULE)
    return outcome.state


async def do_intake(desk: Desk, connection: Connection, job: Job) -> None:
    """Complete a call that has ended: one matter, with everything that was said."""
    received, row = await _received(desk, connection, UUID(job.body["call"]))
    if row["direction"] == "out":
        await residents_rung.completed(desk, connection, row)
        return
    await received.one_at_a_time(received.household or received.number)
    heard = [turn["text"] async for turn in _calls.heard(connection, call=received.id)]
    content = "，".join(text for text in heard if text)
    on_line = codec.from_plain(Understanding, row["labels"]) if row["labels"] else None
    ticket = await _tickets.of_call(connection, call=received.id)
    opened_with = codec.from_plain(Understanding, ticket["labels"]) if ticket else None
    labels = await labelling.final_labels(desk, received.site, content, opened_with or on_line, job.attempts)
    place = received.place(labels)
    if place.complete:
        await received.one_at_a_time("-".join(part for part in (place.building, place.unit, place.room) if part))
    if ticket is None and row["ticket"] is None:
        number = await _open_after(received, row, labels, content)
    elif ticket is not None and ticket["joined_to"] is None:
        number = await _complete(received, ticket, labels, content, complete=row["text_complete"])
    else:
        number = row["ticket"]
    now = datetime.now(UTC)
    await _calls.complete(connection, id=received.id, at=now, ticket=number, labels=codec.to_plain(labels))
    await search.index_call(connection, received.id, content)
    log.info("call_completed", call_id=str(received.id), ticket=number, text_complete=row["text_complete"])


async def _open_after(received: Received, row: Any, labels: Understanding, content: str) -> int | None:
    """A matter for a call that ended, or was never served, before it had one."""
    if row["unserved"] in NOT_OURS or (row["unserved"] == "flood" and received.number is None):
        return None
    home = Place(row["home_building"], row["home_unit"], row["home_room"]) if row["home_building"] else None
    labels = at_home(labels, home, row["known_name"])
    matter = received.matter(labels, {})
    if matter.empty and received.number is None and not row["text_complete"]:
        return None  # whoever said nothing and has no number leaves nothing to do: wait for what is still being decoded
    ended = row["ended_at"] or received.at
    if not matter.empty and received.number is not None:
        rules = received.desk.site(received.site).rules_at(ended)
        matter = replace(matter, call_back_at=ended + timedelta(minutes=rules.call_back_within_min))
    unheard = matter.empty and not row["text_complete"]
    decision, why = await received.decide(matter, unheard=unheard), "unserved" if row["unserved"] else "hang_up"
    if decision.joins is not None:
        return await _join(received, matter, labels, decision, None, spoken=False, moment=ended, why=why)
    number = await _open(
        received, matter, labels, decision, None, content, spoken=False, complete=row["text_complete"], moment=ended,
        why=why,
    )  # fmt: skip
    await _finish(received, number, labels, content, complete=row["text_complete"], decision=None)
    return number


async def _complete(received: Received, ticket: Any, labels: Understanding, content: str, *, complete: bool) -> int:
    """The ticket that the line opened, with final text and labels; joined late where the rule sees it now (R17).

    What a person has corrected or confirmed meanwhile stands.
    """
    number: int = ticket["number"]
    state = matters.state_of(ticket["life"])
    now = datetime.now(UTC)
    decision: Decision | None = None
    corrected = await _tickets.corrected_by_person(received.connection, number=number)
    if not corrected and state.status in _UNTAKEN and not state.accepted_by:
        matter = received.matter(labels, {})
        others = await received.open_matters(matter, but=number)
        again = joined_matter(received.call, matter, [o.open_matter() for o in others if o.opened_at < state.opened_at])
        if again is not None and (complete or not matter.empty):
            return await _join_late(received, state, again.ticket, now)
        state = await _relabel(received, state, labels, {}, content, now)
        decision = await received.decide(matter, but=number)
        decision = replace(decision, first_responder=state.first_responder, responsible=state.responsible)
    written = state.record.content
    kept = written if corrected and written not in content else content
    await _finish(received, number, labels, kept, complete=complete, decision=decision)
    return number


async def _join_late(received: Received, state: TicketState, into: str, now: datetime) -> int:
    around = await matters.situation(received.desk, received.connection, received.site, now)
    target = await matters.load(received.connection, matters.number_of(into))
    first = around.organisation.once_here(target.first_responder)
    event = TicketEvent(
        Act.JOIN, now, RULE, "R17", f"与未结事项{target.ticket}为同一事项，并入；首问责任人仍为{first.called()}。",
        f"The same matter as the open {target.ticket}: joined; the first responder is still {first.called('en')}.",
        ticket=target.ticket,
    )  # fmt: skip
    joined = Outcome(apply(state, event), (event,))
    await matters.save_joined(received.desk, received.connection, around, state, joined, target, call=received.id)
    return matters.number_of(target.ticket)


async def _finish(
    received: Received, number: int, labels: Understanding, content: str, *, complete: bool, decision: Decision | None
) -> None:
    now = datetime.now(UTC)
    await _tickets.complete(
        received.connection, number=number, labels=codec.to_plain(labels), content=content, complete=complete, at=now,
        decision=codec.to_plain(decision) if decision else None,
    )  # fmt: skip
    await write_event(
        received.desk, received.connection, DeskEvent.TICKET_COMPLETED, site=received.site, call=received.id,
        ticket=number, rules=("R6",), body={"labels": codec.to_plain(labels), "complete": complete},
    )  # fmt: skip
    text = "\n".join(part for part in (content, labels.name.value, str(received.place(labels))) if part)
    await search.index_ticket(received.connection, number, text)
