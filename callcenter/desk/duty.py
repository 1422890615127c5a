"""Who is on duty, the roster, and the emergency contacts (R25, R29)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from callcenter.desk import matters
from callcenter.desk.models import Duty, OnDuty, ShiftRow
from callcenter.domain.roster import LEADER, OPERATOR
from callcenter.errors import DomainError

if TYPE_CHECKING:
    from callcenter.desk.house import Desk


async def now(desk: Desk, site: str) -> Duty:
    """Who is on duty at this moment, until when, and whom to ring in an emergency."""
    async with desk.pool.acquire() as connection:
        around = await matters.situation(desk, connection, site)
    organisation = around.organisation
    roles = (OPERATOR, LEADER, *(d.id for d in organisation.departments))
    on_duty = tuple(OnDuty(role, around.on_duty(role), around.roster.next_change(role, around.at)) for role in roles)
    return Duty(site, around.at, on_duty, organisation.last_resort, dict(organisation.emergency_numbers))


async def roster(desk: Desk, site: str, starts_at: datetime, ends_at: datetime) -> list[ShiftRow]:
    """The shifts of a stretch, by role and time, with those who stand in."""
    if starts_at.tzinfo is None or ends_at.tzinfo is None or starts_at >= ends_at:
        raise DomainError("roster.stretch", "the stretch needs an aware start before its end")
    async with desk.pool.acquire() as connection:
        made = await desk.roster(connection, site, starts_at.astimezone(UTC), ends_at.astimezone(UTC))
    found = []
    for shift in made.shifts:
        moment = max(shift.starts_at, starts_at)
        away = made.absence(shift.staff, moment)
        there = made.all_on_duty(shift.role, moment)
        stand_in = away.replaced_by if away and away.replaced_by in there else None
        found.append(
            ShiftRow(shift.role, shift.name, shift.staff, stand_in, shift.starts_at, shift.ends_at, away is not None)
        )
    return sorted(found, key=lambda s: (s.role, s.starts_at))
