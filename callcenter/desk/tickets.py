"""Matters as pages and the API read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from callcenter.desk import cursors, matters, rows, search
from callcenter.desk.events import DeskEvent
from callcenter.desk.models import (
    Counts,
    DeadlineRow,
    HandoverRow,
    Page,
    Photo,
    Step,
    TicketDetail,
    TicketFilter,
    TicketRow,
)
from callcenter.domain import codec
from callcenter.domain.explain import Reason
from callcenter.domain.responsibility import ChainPlace, Decision, chain
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import TRANSITIONS, Act, Status, TicketState
from callcenter.errors import DomainError, StoreError
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_sql = statements("read")
_tickets = statements("ticket")
_events = statements("event")
_FIGURES = re.compile(r"\+?[0-9]{4,}")

ACTS = {
    "accept": Act.ACCEPT, "refuse": Act.REFUSE, "hand_over": Act.HAND_OVER, "confirm": Act.CONFIRM,
    "correct": Act.AMEND, "start": Act.START, "wait": Act.WAIT, "resume": Act.RESUME, "done": Act.DONE,
    "close": Act.SATISFIED, "reopen": Act.REOPEN, "not_reached": Act.NOT_REACHED, "dispute": Act.DISPUTE,
    "settle": Act.SETTLE, "join": Act.JOIN, "report": Act.REPORTED, "outside": Act.PASSED_OUTSIDE,
    "promise": Act.PROMISE,
}  # fmt: skip
"""What a person may do → what it is in the life of a ticket."""
OPEN_STATES = frozenset(status.value for status in Status if status.open)


async def page(desk: Desk, site: str, chosen: TicketFilter, before: str | None = None, limit: int = 50) -> Page:
    """Matters, newest first. Raises StoreError `page.cursor` for a cursor that is none."""
    at, number = cursors.read(before, int)
    chosen_rows = {
        "site": site, "before_at": at, "before_number": number, "status": chosen.state, "open_only": chosen.open_only,
        "joined": chosen.state == Status.JOINED, "urgency": chosen.urgency, "department": chosen.department,
        "category": chosen.category, "responsible": chosen.responsible, "asked": chosen.asked,
        "to_confirm": chosen.to_confirm, "overdue": chosen.overdue,
        "incident": chosen.incident, "since": chosen.since, "until": chosen.until,
        "rows": limit + 1,
    }  # fmt: skip
    text = (chosen.text or "").strip()
    async with desk.pool.acquire() as connection:

        async def of(numbers: list[int] | None) -> list[TicketRow]:
            return [rows.ticket(row) async for row in _sql.tickets_page(connection, numbers=numbers, **chosen_rows)]

        if not text:
            found: Sequence[TicketRow] = await of(None)
        else:
            numbers = await _named(connection, text)
            named = {row.number: row for row in (await of(numbers) if numbers else ())}
            worded = await search.newest(
                connection, site, search.query(text), _facets(chosen), at, limit + 1,
                lambda keys: of([int(key) for key in keys]),
            )  # fmt: skip
            named |= {row.number: row for row in worded}
            found = sorted(named.values(), key=lambda t: (t.opened_at, t.number), reverse=True)[:limit + 1]
    return cursors.page(found, limit, lambda t: (t.opened_at, t.number))


async def _named(connection: Connection, text: str) -> list[int]:
    """Matters that `text` names: by number, or by the last figures of the caller's."""
    if not _FIGURES.fullmatch(text):
        return []
    as_number = int(text) if text.isdigit() and len(text) < 16 else None
    return [row["number"] async for row in _sql.numbers_named(connection, as_number=as_number, figures=text)]


def _facets(chosen: TicketFilter) -> list[str]:
    """What the index of words knows of the rows that are wanted (migration 0005); the page's own filter is exact."""
    only_open = chosen.open_only or chosen.asked or chosen.overdue or chosen.to_confirm or chosen.state in OPEN_STATES
    closed = chosen.state is not None and chosen.state not in OPEN_STATES
    labels = {
        "category": chosen.category, "urgency": chosen.urgency, "department": chosen.department,
        "responsible": chosen.responsible,
    }  # fmt: skip
    named = [f"{name}:{value}" for name, value in labels.items() if value is not None]
    return ["ticket", *(["open"] if only_open else []), *(["closed"] if closed else []), *named]


async def counts_by_state(desk: Desk, site: str) -> dict[str, int]:
    """How many matters are in each state."""
    return {row["status"]: row["n"] async for row in _sql.tickets_by_status(desk.pool, site=site)}


async def alarms(desk: Desk, site: str, at_most: int) -> list[TicketRow]:
    """The newest emergencies that nobody has accepted or begun yet."""
    return [rows.ticket(row) async for row in _sql.alarms(desk.pool, site=site, rows=at_most)] if at_most else []


async def counts(desk: Desk, site: str, staff: str | None = None) -> Counts:
    """Figures of the bar; `staff` is the reader, if they are one of our people."""
    row = await _sql.counts(desk.pool, site=site, staff=staff)
    return Counts(**dict(row))


async def one(desk: Desk, number: int) -> TicketDetail:
    """One matter; an alias leads to what it joined. Raises StoreError `ticket.unknown`."""
    async with desk.pool.acquire() as connection:
        resolved = await _tickets.resolve(connection, number=number)
        row = await _sql.ticket_one(connection, number=resolved) if resolved is not None else None
        if row is None:
            raise StoreError("ticket.unknown", f"there is no ticket {number}", mend="look at the number again")
        events = [rows.step(r) async for r in _events.of_ticket(connection, tickets=[row["number"]])]
        told = tuple([rows.told(r) async for r in _sql.told(connection, ticket=row["number"])])
        tasks = tuple([rows.task(r) async for r in _sql.tasks_of_ticket(connection, ticket=row["number"])])
        calls = tuple([
            rows.call(r)
            async for r in _sql.calls_of_ticket(connection, ticket=row["number"], opened_by=row["call"])
        ])  # fmt: skip
        around = await matters.situation(desk, connection, row["site"])
    state = matters.state_of(row["life"])
    labels = rows.understanding(row["labels"])
    assert labels is not None
    confirmed = next((e for e in reversed(events) if e.kind == "ticket.confirm"), None)
    accepted = next((e for e in reversed(events) if e.kind in {"ticket.accept", "ticket.settle"}), None)
    return TicketDetail(
        ticket=rows.ticket(row), call=row["call"], labels=labels, building=row["building"], unit=row["unit"],
        room=row["room"], household=row["household"], missing=tuple(row["missing"]), completed_at=row["completed_at"],
        confirmed_at=confirmed.at if confirmed else None, confirmed_by=confirmed.actor if confirmed else None,
        handler=state.accepted_by, accepted_at=accepted.at if accepted and state.accepted_by else None,
        waiting_for=state.wait.reason.value if state.wait else None,
        waiting_until=state.wait.until if state.wait else None, done_at=state.done_at, result=state.record.done or None,
        satisfied=_satisfied(events), archived_at=row["closed_at"], refusals=len(state.refusals),
        reasons=_reasons(row["decision"]), chain=_chain(events), ahead=_ahead(around, state),
        deadlines=_deadlines(state), told=told, history=tuple(events), calls=calls, tasks=tasks,
        photos=_photos(events), may=may(state), disputed=state.disputed, source=state.matter.source,
        investigation=state.matter.needs_investigation, outside_body=state.outside_body,
    )  # fmt: skip


def may(state: TicketState) -> tuple[str, ...]:
    """What a person may do with it in its state, as far as the life of a ticket goes."""
    found = [name for name, act in ACTS.items() if state.status in TRANSITIONS[act]]
    if state.confirmed:
        found = [name for name in found if name != "confirm"]
    return tuple(found)


def _reasons(decision: Any) -> tuple[Reason, ...]:
    return codec.from_plain(Decision, decision).reasons if decision else ()


def _photos(history: list[Step]) -> tuple[Photo, ...]:
    """The photos of a matter, from its events, first to last."""
    return tuple(
        Photo(
            e.body["name"], e.actor or "", e.at, e.body["width"], e.body["height"], e.body["bytes"],
            e.body.get("note") or "",
        )
        for e in history if e.kind == DeskEvent.PHOTO_TAKEN.value
    )  # fmt: skip


def _satisfied(events: list[Step]) -> bool | None:
    last = next((e for e in reversed(events) if e.kind in {"ticket.satisfied", "ticket.unsatisfied"}), None)
    return None if last is None else last.kind == "ticket.satisfied"


OUTCOMES = {
    "ticket.accept": "accepted", "ticket.refuse": "refused", "ticket.pass_over": "passed", "ticket.assign": "withdrawn",
    "ticket.hand_over": "withdrawn", "ticket.settle": "withdrawn", "ticket.join": "withdrawn",
}  # fmt: skip


def _chain(events: list[Step]) -> tuple[HandoverRow, ...]:
    """Who was asked, in order, and what came of it (R13), read from the matter's events.

    Whoever takes it before those who were asked stands at the end, as accepted.
    """
    found: list[HandoverRow] = []
    for event in events:
        body = event.body
        outcome = OUTCOMES.get(event.kind)
        if outcome is not None and found and found[-1].state == "waiting":
            note, taken = str(body.get("note") or ""), event.kind == "ticket.accept"
            stepped_in = event.actor if taken and event.actor != found[-1].to_staff else None
            state = "withdrawn" if stepped_in else outcome
            found[-1] = replace(found[-1], state=state, answered_at=event.at, reason="" if stepped_in else note)
            if stepped_in:
                found.append(
                    HandoverRow(len(found) + 1, stepped_in, None, "", event.at, None, outcome, event.at, note)
                )
        if event.kind == "ticket.ask":
            limit = body.get("due_at")
            found.append(
                HandoverRow(
                    n=len(found) + 1, to_staff=str(body.get("to")), from_staff=None, role="", offered_at=event.at,
                    limit_at=datetime.fromisoformat(limit) if limit else None, state="waiting", answered_at=None,
                    reason="",
                )
            )  # fmt: skip
    return tuple(found)


def _ahead(around: Situation, state: TicketState) -> tuple[str, ...]:
    """Who will be asked after the one asked now, as the roster stands."""
    if state.asked is None:
        return ()
    without = {state.first_responder, state.responsible, *state.asked_before, state.asked}
    try:
        steps, _ = chain(
            state.matter.department, around.organisation, around.roster, around.rules, around.at,
            urgency=state.urgency, without=without,
        )  # fmt: skip
    except DomainError:
        return ()
    return tuple(step.staff for step in steps if step.place is not ChainPlace.LAST_RESORT or step is steps[-1])


def _deadlines(state: TicketState) -> tuple[DeadlineRow, ...]:
    now = datetime.now(UTC)
    found = []
    for timer in sorted(state.timers, key=lambda t: t.due_at):
        if not timer.running:
            how = "met" if timer.met_at and timer.met_at <= timer.due_at else "missed"
            how = how if state.status is not Status.JOINED else "dropped"
        else:
            how = "paused" if state.paused(timer) else "missed" if timer.overdue(now) else "running"
        from callcenter.domain.deadlines import RULE_OF_CLOCK

        found.append(
            DeadlineRow(
                timer.clock.value, RULE_OF_CLOCK[timer.clock], timer.starts_at, timer.due_at, how, len(timer.told),
                timer.met_at,
            )
        )  # fmt: skip
    return tuple(found)
