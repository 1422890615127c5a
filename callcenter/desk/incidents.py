"""Many alike matters within a short time are one incident (R32): recognised, told in writing, closed together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from callcenter.desk import matters, rows
from callcenter.desk.acts import once
from callcenter.desk.events import DeskEvent, tell, write_event
from callcenter.desk.models import CallRow, IncidentRow, NewsKind
from callcenter.domain import explain, work
from callcenter.domain.clockwork import rungs_above
from callcenter.domain.effects import EffectKind
from callcenter.domain.handover import many_households
from callcenter.domain.incidents import NEVER_ALIKE, Incident, group, written_report
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import TicketState
from callcenter.errors import DomainError, StoreError
from callcenter.log import get_logger
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk
    from callcenter.desk.jobs import Job

log = get_logger("desk.incidents")
_sql = statements("incident")
_saves = statements("save")


async def do_consider(desk: Desk, connection: Connection, job: Job) -> None:
    """Look whether a matter is one of many alike."""
    # The group is locked before its tickets, so that two desks looking at two of them never wait for each other.
    group_of = await _sql.group_of(connection, number=job.body["ticket"])
    await connection.execute("select pg_advisory_xact_lock(hashtext($1))", f"incident {group_of}")
    row = await _sql.matter(connection, number=job.body["ticket"])
    if row is None:
        return
    state = matters.state_of(row["life"])
    if state.status.open and row["incident"] is None and state.matter.category not in NEVER_ALIKE:
        await _consider(desk, connection, state)


async def _consider(desk: Desk, connection: Connection, state: TicketState) -> None:
    around = await matters.situation(desk, connection, state.site)
    known = await _groups(connection, state, around)
    found = group(known, state.open_matter(), around.rules, state.opened_at, site=state.site)
    incident = found.joined
    if incident is None:
        return
    numbers = [int(n) for n in incident.numbers]
    if found.recognised:
        identity = await _recognise(desk, connection, around, incident)
        await _sql.assign(connection, incident=identity, numbers=numbers)
    else:
        identity = int(incident.id)
        await _sql.assign(connection, incident=identity, numbers=[int(state.ticket)])
    if found.became_major:
        await _sql.major(connection, id=identity, at=around.at)
        await _tell_major(desk, connection, around, identity, incident, state.urgency)
        await _report(desk, connection, around, identity, incident)
    for number in numbers if found.recognised else [int(state.ticket)]:
        await tell(connection, NewsKind.TICKET, state.site, {"ticket": number, "kind": "incident"})


async def _groups(connection: Connection, state: TicketState, around: Situation) -> list[Incident]:
    """Open incidents of this category, and the groups in the making, from the tickets themselves."""
    site, category = state.site, state.matter.category
    known = [
        Incident(
            id=str(row["id"]), site=site, category=category, building=next(iter(row["buildings"]), None),
            tickets=tuple((number, datetime.fromisoformat(at)) for number, at in row["tickets"]),
            recognised_at=row["recognised_at"], major_at=row["major_at"],
        )
        async for row in _sql.open_ones(connection, site=site, category=category)
        if row["tickets"]
    ]  # fmt: skip
    since = state.opened_at - timedelta(minutes=around.rules.incident_window_min)
    making: dict[str | None, list[tuple[str, datetime]]] = {}
    async for row in _sql.in_the_making(connection, site=site, category=category, since=since, but=int(state.ticket)):
        making.setdefault(row["building"], []).append((str(row["number"]), row["opened_at"]))
    return [*known, *(Incident(f"i{t[0][0]}", site, category, b, tuple(t)) for b, t in making.items())]


async def _recognise(desk: Desk, connection: Connection, around: Situation, incident: Incident) -> int:
    """Write the incident down and tell the supervisor in writing."""
    category = desk.site(incident.site).taxonomy.categories[incident.category]
    where_zh = f"{incident.building}号楼" if incident.building else "小区"
    where_en = f"building {incident.building}" if incident.building else "the site"
    identity = int(
        await _sql.recognise(
            connection, site=incident.site, category=incident.category,
            buildings=[incident.building] if incident.building else [],
            phrase=f"{where_zh}的{category.zh}问题我们已经知道，正在处理。",
            phrase_en=f"We know of the trouble ({category.en}) in {where_en} and are at work on it.",
            opened_at=incident.opened_at, recognised_at=around.at, major_at=incident.major_at,
        )
    )  # fmt: skip
    zh, en = written_report(incident, category.zh, category.en)
    for staff in _supervisors(around):
        await _saves.put_task(connection, rows=[{
            "key": f"incident:{identity}:{staff}", "site": incident.site, "kind": "incident", "ticket": None,
            "call": None, "staff": staff, "due_at": None, "rule": "R32",
            "body": {"zh": zh, "en": en, "incident": identity}, "created_at": around.at,
        }])  # fmt: skip
        key = f"incident/{identity}/recognised/{staff}"
        await _send(desk, connection, incident.site, key, staff, "R32", (zh, en), around.at)
    await write_event(
        desk, connection, DeskEvent.INCIDENT_OPENED, site=incident.site, rules=("R32",),
        body={
            "incident": identity, "category": incident.category, "tickets": list(incident.numbers), "zh": zh, "en": en,
        },
    )  # fmt: skip
    log.info("incident_recognised", incident=identity, category=incident.category, matters=len(incident.tickets))
    return identity


def _supervisors(around: Situation) -> tuple[str, ...]:
    """Who is told of an incident: the supervisor of the ladder (客服主任), or the next above who is there, and the duty
    leader."""
    supervisor = rungs_above(around, around.organisation.ladder[0])[0]
    return tuple(dict.fromkeys((supervisor, around.leader_or_last_resort)))


async def _tell_major(
    desk: Desk, connection: Connection, around: Situation, identity: int, incident: Incident, urgency: str
) -> None:
    """More households than the set number: at once to the duty leader and the general manager (R15)."""
    leader = around.leader_or_last_resort
    told = {leader: explain.TELL_LEADER, around.organisation.general_manager: explain.TELL_GENERAL_MANAGER}
    for staff, sentence in told.items():
        key = f"incident/{identity}/major/{staff}"
        await _send(desk, connection, incident.site, key, staff, "R15", sentence, around.at, urgency)


async def _report(
    desk: Desk, connection: Connection, around: Situation, identity: int, incident: Incident
) -> None:
    """The written report on it is due the next day, with the first of its matters that is not done (R15)."""
    number = next(iter([row["number"] async for row in _sql.open_matters_of(connection, id=identity)]), None)
    if number is not None:
        general_manager = around.organisation.general_manager
        people = {around.leader_or_last_resort: explain.TELL_LEADER, general_manager: explain.TELL_GENERAL_MANAGER}
        await _saves.tell(connection, rows=[
            {"ticket": number, "staff": staff, "rule": "R15", "at": around.at, "zh": zh, "en": en}
            for staff, (zh, en) in people.items()
        ])  # fmt: skip
        first = await matters.load(connection, number)
        await matters.save(desk, connection, around, many_households(around, first, len(incident.numbers)))


async def _send(
    desk: Desk, connection: Connection, site: str, key: str, staff: str, rule: str, sentence: tuple[str, str],
    at: datetime, urgency: str = "important",
) -> None:  # fmt: skip
    await _saves.send(connection, rows=[{
        "key": key, "site": site, "ticket": None, "staff": staff, "channel": "page", "urgency": urgency, "rule": rule,
        "body": {"kind": EffectKind.TELL, "rule": rule, "zh": sentence[0], "en": sentence[1]}, "created_at": at,
        "spread": not desk.outward,
    }])  # fmt: skip


def _row(row: Any) -> IncidentRow:
    plain = {name: row[name] for name in IncidentRow.__dataclass_fields__}
    return IncidentRow(**{**plain, "buildings": tuple(row["buildings"]), "numbers": tuple(row["numbers"])})


async def every(desk: Desk, site: str, *, open_only: bool = True) -> list[IncidentRow]:
    """Incidents, newest first."""
    return [_row(row) async for row in _sql.list(desk.pool, site=site, open_only=open_only)]


async def calls_of(desk: Desk, identity: int) -> list[CallRow]:
    """Every call about an incident, newest first."""
    found = {row["id"]: rows.call(row) async for row in _sql.calls(desk.pool, id=identity)}
    return list(found.values())


@dataclass(frozen=True)
class Closing:
    """What closing an incident did: numbers of its matters."""

    finished: tuple[int, ...]
    left: tuple[int, ...]
    """Not the closer's to finish, or still to be confirmed: the incident lasts until the last of them is done."""


async def close(desk: Desk, identity: int, actor: str, result: str, key: str) -> Closing:
    """It is over: its matters are done with `result`, and followed up one by one (R23); once per key.

    Those that `actor` may not finish stay with their people (R14), and the incident lasts until they are done. Raises
    StoreError `incident.unknown`, DomainError `r14.none_of_them` where that is every one of them.
    """
    finished: list[int] = []
    async with desk.pool.acquire() as connection, connection.transaction():
        new = await once(connection, f"incident:{identity}:{key}", actor)
        row = await _sql.lock(connection, id=identity)
        if row is None:
            raise StoreError("incident.unknown", "there is no such incident")
        numbers = [r["number"] async for r in _sql.open_matters_of(connection, id=identity)]
        if not new or row["closed_at"] is not None:
            return Closing((), tuple(numbers))
        around = await matters.situation(desk, connection, row["site"])
        for number in numbers:
            try:
                outcome = work.done(around, await matters.load(connection, number), actor, result)
            except DomainError as error:
                log.info("matter_of_incident_stays_open", ticket=number, why=error.code)
                continue
            await matters.save(desk, connection, around, outcome)
            finished.append(number)
        left = tuple(number for number in numbers if number not in finished)
        if left:
            if not finished:
                raise DomainError(
                    "r14.none_of_them", "none of its matters is this person's to finish",
                    mend="it is for whoever is responsible, the department in charge, and those above",
                )  # fmt: skip
            return Closing(tuple(finished), left)
        if not numbers:  # else it ended, with its event, when the last of them was saved
            await _sql.close(connection, id=identity, at=datetime.now(UTC))
            await write_event(
                desk, connection, DeskEvent.INCIDENT_CLOSED, site=row["site"], actor=actor, rules=("R32",),
                body={"incident": identity, "result": result, "tickets": []},
            )  # fmt: skip
            await tell(connection, NewsKind.TICKET, row["site"], {"ticket": None, "kind": "incident.closed"})
    return Closing(tuple(finished), ())
