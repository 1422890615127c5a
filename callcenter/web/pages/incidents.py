"""Incidents (R32): many alike matters as one, with their calls, and closing them together."""

from __future__ import annotations

from aiohttp import web

from callcenter.desk import incidents, tickets
from callcenter.desk.models import IncidentRow, TicketFilter
from callcenter.domain.tickets import Status
from callcenter.errors import StoreError
from callcenter.web.access import Right
from callcenter.web.errors import unfit
from callcenter.web.forms import form_key, read_form
from callcenter.web.page import render
from callcenter.web.state import DESK, site_of
from callcenter.web.viewer import guarded, viewer

DONE = frozenset({Status.DONE, Status.FOLLOW_UP_DUE, Status.ARCHIVED, Status.JOINED})
"""States in which nothing of the work is left; what is followed up still is (R23)."""


async def _one(request: web.Request, number: int) -> IncidentRow:
    site = site_of(request, viewer(request).account)
    found = await incidents.every(request.app[DESK], site, open_only=False)
    try:
        return next(row for row in found if row.id == number)
    except StopIteration:
        raise StoreError("incident.unknown", "there is no such incident") from None


async def incidents_page(request: web.Request) -> web.StreamResponse:
    """GET /incidents and /incidents/{id}: those that last first."""
    desk, site = request.app[DESK], site_of(request, viewer(request).account)
    rows = await incidents.every(desk, site, open_only=False)
    asked = request.match_info.get("id")
    shown = await _one(request, int(asked)) if asked else next((row for row in rows if row.closed_at is None), None)
    members = (await tickets.page(desk, site, TicketFilter(incident=shown.id), limit=100)).rows if shown else ()
    calls = await incidents.calls_of(desk, shown.id) if shown else []
    left = [row for row in members if row.state not in DONE]
    return await render(
        request, "incidents.html", section="tickets", incidents=sorted(rows, key=lambda r: r.closed_at is not None),
        incident=shown, members=members, calls=calls, asked=asked is not None,
        left=left if len(left) < len(members) and shown and shown.closed_at is None else (),
        may_close=viewer(request).may(Right.MOVE_TICKETS),
    )  # fmt: skip


async def close(request: web.Request) -> web.StreamResponse:
    """POST /incidents/{id}: it is over; its matters are done and followed up one by one. The page says what is left."""
    form = await read_form(request)
    key, result = form_key(form), form.get("result", "").strip()
    if not result:
        raise unfit("result", "say what was done")
    incident = await _one(request, int(request.match_info["id"]))
    await incidents.close(request.app[DESK], incident.id, viewer(request).actor, result, key)
    raise web.HTTPSeeOther(f"/incidents/{incident.id}")


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [
        web.get("/incidents", guarded(incidents_page, Right.SEE_CALLS)),
        web.get(r"/incidents/{id:\d{1,15}}", guarded(incidents_page, Right.SEE_CALLS)),
        web.post(r"/incidents/{id:\d{1,15}}", guarded(close, Right.MOVE_TICKETS)),
    ]
