"""Who is on duty: now, the week as a grid, and the emergency contacts (R25, R29)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from aiohttp import web

from callcenter.desk import duty
from callcenter.desk.models import ShiftRow
from callcenter.web import format as shown
from callcenter.web.access import Right
from callcenter.web.forms import day_of
from callcenter.web.page import render
from callcenter.web.state import DESK, site_of
from callcenter.web.viewer import guarded, viewer

DAYS = 7
FIRST_ROLES = ("operator", "leader")


@dataclass(frozen=True)
class Row:
    """One row of the grid: a shift of a role, and who works it on each day."""

    role: str
    name: str
    hours: str
    cells: tuple[tuple[ShiftRow, ...], ...]
    first_of_role: bool = False
    span: int = 1


def week_of(day: date | None) -> date:
    """The Monday of the week of `day`, or of this week."""
    when = day or shown.local(datetime.now(UTC)).date()
    return when - timedelta(days=when.weekday())


def grid_of(rows: list[ShiftRow], monday: date) -> list[Row]:
    """The week's grid, operators and leaders first; a shift stands under the day it begins."""
    cells: dict[tuple[str, str, str], dict[int, list[ShiftRow]]] = defaultdict(lambda: defaultdict(list))
    for shift in rows:
        starts, ends = shown.local(shift.starts_at), shown.local(shift.ends_at)
        column = (starts.date() - monday).days
        if 0 <= column < DAYS:
            cells[shift.role, f"{starts:%H:%M}–{ends:%H:%M}", shift.name][column].append(shift)
    order = {role: place for place, role in enumerate(FIRST_ROLES)}
    keys = sorted(cells, key=lambda k: (order.get(k[0], 9), k[0], k[1]))
    made: list[Row] = []
    for role, hours, name in keys:
        week = tuple(tuple(cells[role, hours, name].get(column, ())) for column in range(DAYS))
        first = not made or made[-1].role != role
        made.append(Row(role, name, hours, week, first, sum(1 for k in keys if k[0] == role)))
    return made


async def duty_page(request: web.Request) -> web.StreamResponse:
    """GET /duty?week=2026-11-16"""
    desk, reader = request.app[DESK], viewer(request)
    site = site_of(request, reader.account)
    monday = week_of(day_of(request, "week"))
    starts = datetime(monday.year, monday.month, monday.day, tzinfo=shown.ZONE).astimezone(UTC)
    rows = await duty.roster(desk, site, starts, starts + timedelta(days=DAYS))
    on_duty = await duty.now(desk, site)
    rostered = {*FIRST_ROLES, *(row.role for row in rows)}
    calendar = desk.sites[site].calendar(starts)
    days = [monday + timedelta(days=n) for n in range(DAYS)]
    return await render(
        request, "duty.html", section="duty", duty=on_duty, grid=grid_of(rows, monday), days=days,
        monday=monday, today=shown.local(datetime.now(UTC)).date(), staff=desk.staff(site),
        holders=[one for one in on_duty.now if one.role in rostered],
        holidays={when for when in days if not calendar.is_workday(when)},
        before=monday - timedelta(days=DAYS), after=monday + timedelta(days=DAYS),
    )  # fmt: skip


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [web.get("/duty", guarded(duty_page, Right.SEE_DUTY))]
