"""First start and every start: the sites' files into the database, the roster ahead, the first administrator."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from argon2 import PasswordHasher

from callcenter.domain import codec
from callcenter.domain.places import Place
from callcenter.domain.roster import Absence, Roster, Shift
from callcenter.errors import ConfigError
from callcenter.log import get_logger
from callcenter.site.load import Site
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

log = get_logger("desk.seed")
_sql = statements("house")
_accounts = statements("account")
_tickets = statements("ticket")

ROSTER_HORIZON = timedelta(days=62)
"""How far ahead the roster stands in the database: this month and the next (R25)."""

ROSTER_LOOK_S = 6 * 3600.0
FIRST_LOGIN = "admin"


async def first_start(desk: Desk) -> None:
    """Bring the database up to the sites' files; does nothing where nothing changed. Several desks may call it."""
    for site in desk.sites.values():
        async with desk.pool.acquire() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtext('seed'))")
            await _seed_site(connection, site)
    await _first_administrator(desk)


async def roster(connection: Connection, site: str, starts_at: datetime, ends_at: datetime) -> Roster:
    """The roster of a stretch from the database, in the roster's own order."""
    shifts = [
        Shift(r["role"], r["staff"], r["starts_at"], r["ends_at"], r["name"])
        async for r in _sql.shifts(connection, site=site, starts_at=starts_at, ends_at=ends_at)
    ]
    absences = [
        Absence(r["staff"], r["starts_at"], r["ends_at"], r["reason"], r["replaced_by"])
        async for r in _sql.absences(connection, site=site, starts_at=starts_at, ends_at=ends_at)
    ]
    return Roster(tuple(shifts), tuple(absences))


async def keep_roster(desk: Desk) -> None:
    """Keep the roster made ahead, for good."""
    while True:
        for site in desk.sites.values():
            async with desk.pool.acquire() as connection, connection.transaction():
                await connection.execute("select pg_advisory_xact_lock(hashtext('seed'))")
                await extend_roster(connection, site, datetime.now(UTC))
        await asyncio.sleep(ROSTER_LOOK_S)


async def extend_roster(connection: Connection, site: Site, at: datetime) -> None:
    """Write the turns from where the roster ends to the horizon."""
    known_until = await _sql.roster_until(connection, site=site.id)
    day = timedelta(days=1)
    starts = max(known_until - 2 * day, at - day) if known_until else at - day  # what is there already stays
    if starts < at + ROSTER_HORIZON - 3 * day:
        await _put_shifts(connection, site, starts, at + ROSTER_HORIZON)


async def _put_shifts(connection: Connection, site: Site, starts: datetime, ends: datetime) -> None:
    made = site.roster(starts, ends)
    shifts = [
        {
            "site": site.id, "role": shift.role, "name": shift.name, "staff": shift.staff,
            "starts_at": shift.starts_at, "ends_at": shift.ends_at,
        }
        for shift in made.shifts
    ]  # fmt: skip
    await _sql.put_shifts(connection, shifts)


async def _seed_site(connection: Connection, site: Site) -> None:
    digest = _digest(site)
    known: dict[str, str] = {row["id"]: row["digest"] async for row in _sql.site_digests(connection)}
    now = datetime.now(UTC)
    if known.get(site.id) != digest:
        organisation = site.organisation
        await _sql.put_site(
            connection, id=site.id, name=organisation.name, name_en=organisation.name_en,
            zone=site.calendar(now).zone, digest=digest,
            definition={"taxonomy": codec.to_plain(site.taxonomy), "area_code": site.area_code},
        )  # fmt: skip
        await _seed_people(connection, site)
        await _seed_places(connection, site)
        await _sql.drop_planned_shifts(connection, site=site.id, after=now)
        await _put_shifts(connection, site, now - timedelta(days=1), now + ROSTER_HORIZON)
        for absence in site.pattern.absences:
            await _sql.put_absence(
                connection, site=site.id, staff=absence.staff, starts_at=absence.starts_at, ends_at=absence.ends_at,
                reason=absence.reason, replaced_by=absence.replaced_by,
            )  # fmt: skip
        await _tickets.look_again_all(connection, site=site.id)  # whoever answers for a matter may have left (R14)
        log.info("site_loaded", site=site.id, first=site.id not in known)
    await extend_roster(connection, site, now)


def _digest(site: Site) -> str:
    """Changes with any file of the site's folder."""
    whole = hashlib.sha256()
    for path in sorted(site.folder.glob("*.yaml")):
        whole.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


async def _seed_people(connection: Connection, site: Site) -> None:
    organisation = site.organisation
    taken = await _sql.staff_of_other_site(connection, ids=[s.id for s in organisation.staff], site=site.id)
    if taken is not None:
        raise ConfigError(
            "site.staff_taken", f"the staff id {taken['id']!r} belongs to the site {taken['site']!r}",
            where=str(site.folder / "organisation.yaml"), mend="give one of the two another id",
        )  # fmt: skip
    for department in organisation.departments:
        await _sql.put_department(
            connection, site=site.id, id=department.id, name=department.zh, name_en=department.en,
            manager=department.manager, deputies=list(department.deputies),
        )  # fmt: skip
    for person in organisation.staff:
        await _sql.put_staff(
            connection, id=person.id, site=site.id, name=person.name, name_en=person.name_en, title=person.title,
            title_en=person.title_en, department=person.department, extension=person.extension, mobile=person.mobile,
            reports_to=person.reports_to, active_from=person.active_from, active_until=person.active_until,
        )  # fmt: skip


async def _seed_places(connection: Connection, site: Site) -> None:
    root = await put_place(connection, site.id, None, "site", site.id, site.organisation.name, Place())
    areas = {
        area.id: await put_place(connection, site.id, root, "area", area.id, area.zh, Place())
        for area in site.gazetteer.areas
    }
    for building in site.gazetteer.buildings:
        parent = areas.get(building.area, root)
        place = Place(building=building.name)
        here = await put_place(connection, site.id, parent, "building", building.name, str(place), place)
        for unit in building.units:
            place = Place(building=building.name, unit=unit.name)
            await put_place(connection, site.id, here, "unit", unit.name, str(place), place)
    for household in site.households:
        identity = await put_household(connection, site.id, household.id, household.place)
        for person in household.people:
            await put_person(connection, site.id, identity, person.name, person.numbers)


async def put_place(
    connection: Connection, site: str, parent: int | None, kind: str, key: str, name: str, place: Place
) -> int:
    """A place of the tree, made if it is not there; returns its id."""
    return int(
        await _sql.put_place(
            connection, site=site, parent=parent, kind=kind, key=key, name=name, building=place.building,
            unit=place.unit, room=place.room,
        )
    )  # fmt: skip


async def put_household(connection: Connection, site: str, key: str, place: Place) -> int:
    """A household and its door, made if they are not there; returns its id."""
    parent = await _sql.find_place(connection, site=site, building=place.building, unit=place.unit, room=None)
    door = await _sql.find_place(connection, site=site, building=place.building, unit=place.unit, room=place.room)
    if door is None:
        door = await put_place(connection, site, parent, "room", place.room or "", str(place), place)
    return int(await _sql.put_household(connection, site=site, key=key, place=door))


async def put_person(
    connection: Connection, site: str, household: int, name: str, numbers: tuple[str, ...], relation: str = ""
) -> int:
    """A person of a household with their numbers, made if they are not there; returns the id."""
    person: Any = await _sql.find_person(connection, household=household, name=name)
    if person is None:
        person = await _sql.put_person(connection, site=site, household=household, name=name, relation=relation)
    for number in numbers:
        await _sql.put_number(connection, site=site, e164=number, person=person, household=household)
    return int(person)


async def _first_administrator(desk: Desk) -> None:
    if await _accounts.count(desk.pool):
        return
    password = secrets.token_urlsafe(12)
    argon2 = await asyncio.to_thread(PasswordHasher().hash, password)
    made = await _accounts.create(
        desk.pool, login=FIRST_LOGIN, name="管理员", site=None, staff=None, department=None, role="administrator",
        argon2=argon2, language="zh-CN", must_change=True,
    )  # fmt: skip
    if made is not None:  # another desk was first otherwise, and has said it
        desk.first_password = password
