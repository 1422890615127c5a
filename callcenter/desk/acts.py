"""What people do with a matter: each act once per key, by the rule, with its event, and everybody told at commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from callcenter.desk import alike, matters, search
from callcenter.desk.models import TicketDetail
from callcenter.desk.tickets import one
from callcenter.domain import handover, work
from callcenter.domain.effects import Outcome
from callcenter.domain.matters import SOURCES, Matter
from callcenter.domain.numbers import canonical
from callcenter.domain.places import Place
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import CallRecord, Status, TicketState, WaitFor
from callcenter.errors import DomainError
from callcenter.site.load import Site
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_events = statements("event")

CORRECTABLE = frozenset({
    "kind", "category", "urgency", "department", "caller_name", "caller_number", "building", "unit", "room", "content",
    "source", "investigation",
})  # fmt: skip
Deed = Callable[[Situation, TicketState], Outcome]


async def once(connection: Connection, key: str, actor: str) -> bool:
    """Whether this key of `actor` is new; in the caller's transaction, so that an act that fails may be tried again."""
    return await _events.act(connection, key=f"{actor}/{key}", actor=actor) is not None


async def _do(
    desk: Desk, number: int, actor: str, key: str, deed: Deed,
    after: Callable[[Connection, TicketState], Awaitable[None]] | None = None,
) -> TicketDetail:  # fmt: skip
    """Do one deed with a matter under its lock and return the matter afterwards; a key that was used does nothing."""
    async with desk.pool.acquire() as connection, connection.transaction():
        if await once(connection, f"ticket:{number}:{key}", actor):
            state = await matters.load(connection, number)
            around = await matters.situation(desk, connection, state.site)
            outcome = deed(around, state)
            await matters.save(desk, connection, around, outcome)
            if after is not None:
                await after(connection, outcome.state)
    return await one(desk, number)


async def accept(desk: Desk, number: int, actor: str, key: str) -> TicketDetail:
    """Take the matter: responsible from now on (R14). Raises DomainError `r14.already_taken`, `r14.not_concerned`."""
    return await _do(desk, number, actor, key, lambda around, state: handover.accept(around, state, actor))


async def refuse(desk: Desk, number: int, actor: str, reason: str, key: str) -> TicketDetail:
    """Do not take it: needs a reason, is counted, the next is asked (R16)."""
    return await _do(desk, number, actor, key, lambda around, state: handover.refuse(around, state, actor, reason))


async def hand_over(
    desk: Desk, number: int, actor: str, to: str | None, reason: str, key: str, *, department: str | None = None
) -> TicketDetail:
    """Give it on: to a person first, or along the chain of a department (R13, R14)."""
    return await _do(
        desk, number, actor, key,
        lambda around, state: handover.hand_over(
            around, state, actor, note=reason, department=department, to=to or None
        ),
    )  # fmt: skip


async def dispute(desk: Desk, number: int, actor: str, reason: str, key: str) -> TicketDetail:
    """It is another department's: before the office, with a reason (R16)."""
    return await _do(desk, number, actor, key, lambda around, state: handover.dispute(around, state, actor, reason))


async def settle(
    desk: Desk, number: int, actor: str, to: str, reason: str, key: str, *, department: str | None = None
) -> TicketDetail:
    """The office names who is responsible (R16). Raises DomainError `r16.not_the_office`, `r14.not_available`."""
    return await _do(
        desk, number, actor, key,
        lambda around, state: handover.settle(around, state, actor, to, reason, department=department),
    )  # fmt: skip


async def confirm(desk: Desk, number: int, actor: str, key: str) -> TicketDetail:
    """待核实: somebody listened, and it is as understood (R8)."""

    def deed(around: Situation, state: TicketState) -> Outcome:
        return handover.relabel(around, state, actor, replace(state.matter, to_confirm=False))

    return await _do(desk, number, actor, key, deed)


async def correct(desk: Desk, number: int, actor: str, changes: dict[str, str], key: str) -> TicketDetail:
    """Correct fields of the record (R6); whoever corrects has listened, so it is confirmed as well.

    Raises DomainError `ticket.unknown_field`, `ticket.unknown_label`.
    """
    if wrong := changes.keys() - CORRECTABLE:
        raise DomainError("ticket.unknown_field", f"no field {', '.join(sorted(wrong))}")

    before: list[TicketState] = []

    def deed(around: Situation, state: TicketState) -> Outcome:
        before.append(state)
        matter = _corrected_matter(desk, state, changes)
        record = _corrected_record(desk, state, matter, changes)
        return handover.relabel(around, state, actor, replace(matter, to_confirm=False), record)

    async def after(connection: Connection, state: TicketState) -> None:
        saved = matters.number_of(state.ticket)  # of the matter that this one may have joined
        await alike.corrected(desk, connection, state.site, saved, before[0].matter, state.matter, actor)
        if (number := before[0].number) and state.number and number != state.number:
            await matters.renumber(connection, state, number)
        content = state.record.content
        await connection.execute("update ticket set content = $2 where number = $1", saved, content)
        text = "\n".join(part for part in (content, state.record.name, str(state.matter.place)) if part)
        await search.index_ticket(connection, saved, text)

    return await _do(desk, number, actor, key, deed, after)


def unknown_label(site: Site, changes: dict[str, str]) -> str | None:
    """The first field of `changes` whose value is none of the site's labels; None: all are."""
    taxonomy = site.taxonomy
    known: dict[str, Collection[str]] = {
        "kind": taxonomy.kinds, "urgency": taxonomy.urgencies, "category": taxonomy.categories,
        "department": {d.id for d in site.organisation.departments}, "source": SOURCES, "investigation": ("yes", "no"),
    }  # fmt: skip
    return next((field for field, labels in known.items() if field in changes and changes[field] not in labels), None)


def _corrected_matter(desk: Desk, state: TicketState, changes: dict[str, str]) -> Matter:
    site = desk.site(state.site)
    taxonomy, matter = site.taxonomy, state.matter
    if field := unknown_label(site, changes):
        raise DomainError("ticket.unknown_label", f"{field} {changes[field]!r} does not exist")
    category = changes.get("category", matter.category)
    moved = "category" in changes and category != matter.category
    department = changes.get("department") or (taxonomy.categories[category].department if moved else matter.department)
    place = matter.place
    if changes.keys() & {"building", "unit", "room"}:
        given = {part: changes.get(part, getattr(place, part)) or None for part in ("building", "unit", "room")}
        place = site.gazetteer.complete(Place(**given))
    wanted = changes.get("investigation")
    return replace(
        matter, kind=changes.get("kind", matter.kind), category=category, department=department,
        urgency=changes.get("urgency", matter.urgency), place=place, source=changes.get("source", matter.source),
        needs_investigation=matter.needs_investigation if wanted is None else wanted == "yes",
    )  # fmt: skip


def _corrected_record(desk: Desk, state: TicketState, matter: Matter, changes: dict[str, str]) -> CallRecord:
    record = state.record
    number = record.number
    if "caller_number" in changes:
        number = canonical(changes["caller_number"], desk.site(state.site).area_code)
    return replace(
        record, name=changes.get("caller_name", record.name) or None, number=number, kind=matter.kind,
        content=changes.get("content", record.content), building=matter.place.building, unit=matter.place.unit,
        room=matter.place.room,
    )  # fmt: skip


async def change_state(
    desk: Desk, number: int, actor: str, to: str, key: str, *, waiting_for: str | None = None,
    until: datetime | None = None, result: str | None = None,
) -> TicketDetail:  # fmt: skip
    """Begin, wait, go on, finish, archive or open again.

    `to` is in_progress, waiting (with `waiting_for` "resident|material|outside_body[: why]" and `until`), done (with
    `result`), archived (the caller is satisfied) or reopened (`result` says why). Raises DomainError.
    """

    def deed(around: Situation, state: TicketState) -> Outcome:
        match to:
            case Status.IN_PROGRESS:
                return (work.go_on if state.wait is not None else work.start)(around, state, actor)
            case Status.WAITING:
                reason, _, why = (waiting_for or "").partition(":")
                try:
                    what = WaitFor(reason.strip())
                except ValueError:
                    raise DomainError("ticket.wait_reason", f"nothing waits for {reason!r}") from None
                return work.wait(around, state, actor, what, until or datetime.now(UTC), why.strip())
            case Status.DONE:
                return work.done(around, state, actor, result or "")
            case Status.ARCHIVED:
                return work.satisfied(around, state, actor, result or "")
            case Status.REOPENED if state.status is Status.FOLLOW_UP_DUE:
                return work.unsatisfied(around, state, actor, result or "")
            case Status.REOPENED:
                return work.reopen(around, state, actor, result or "")
        raise DomainError("ticket.not_allowed", f"nobody can set a ticket to {to!r}")

    return await _do(desk, number, actor, key, deed)


async def note(desk: Desk, number: int, actor: str, text: str, key: str) -> TicketDetail:
    """A remark in the history."""
    return await _do(desk, number, actor, key, lambda around, state: work.note(around, state, actor, text))


async def mark(desk: Desk, number: int, actor: str, what: str, text: str, key: str) -> TicketDetail:
    """`answered`, `contacted`, `called_back`, `reported` or `not_reached`: a clock is met (R15, R18–R23)."""
    deeds = {
        "answered": work.answered, "contacted": work.contacted, "called_back": work.called_back,
        "reported": work.reported,
    }  # fmt: skip
    if what == "not_reached":
        return await _do(desk, number, actor, key, lambda around, state: work.not_reached(around, state, actor))
    if what not in deeds:
        raise DomainError("ticket.not_allowed", f"nobody can mark a ticket as {what!r}")
    return await _do(desk, number, actor, key, lambda around, state: deeds[what](around, state, actor, text))


async def promise(desk: Desk, number: int, actor: str, at: datetime, text: str, key: str) -> TicketDetail:
    """Promise the resident a call-back at a time, `text` says about what; a new time replaces the one before (R22).

    Raises DomainError `r22.no_time`, `r22.no_number`, `r22.under_way`, `r14.not_concerned`.
    """
    return await _do(
        desk, number, actor, key, lambda around, state: work.promise_call_back(around, state, actor, at, text),
        matters.plan_promise,
    )  # fmt: skip


async def pass_outside(desk: Desk, number: int, actor: str, body: str, text: str, key: str) -> TicketDetail:
    """It belongs to an outside body, which was told of it; we follow it (R5). Raises DomainError."""
    return await _do(
        desk, number, actor, key, lambda around, state: work.pass_outside(around, state, actor, body, text)
    )


async def join(desk: Desk, number: int, actor: str, into: int, key: str) -> TicketDetail:
    """The same matter as another: its number becomes a name of that one (R17)."""
    async with desk.pool.acquire() as connection, connection.transaction():
        if await once(connection, f"ticket:{number}:{key}", actor):
            first, second = sorted((number, into))  # locked in order, so that two joins never wait for each other
            states = {n: await matters.load(connection, n) for n in (first, second)}
            around = await matters.situation(desk, connection, states[number].site)
            joined = work.join(around, states[number], actor, states[into])
            await matters.save_joined(desk, connection, around, states[number], joined, states[into])
            numbers = [matters.number_of(states[n].ticket) for n in (number, into)]
            await connection.execute("update call set ticket = $2 where ticket = $1", *numbers)
    return await one(desk, number)
