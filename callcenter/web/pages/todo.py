"""What waits for a person: matters to confirm by listening (待核实), and call-backs to make (R5, R22)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from callcenter.desk import calls, resident_calls, todo
from callcenter.desk.models import TicketDetail
from callcenter.web.access import Right
from callcenter.web.acting import callbacks_of, may_call_back, one_visible, perform
from callcenter.web.errors import unfit
from callcenter.web.forms import form_key, read_form
from callcenter.web.page import render
from callcenter.web.pages.tickets import ticket_values
from callcenter.web.state import DESK, names_of, site_of
from callcenter.web.talk import talk_of
from callcenter.web.viewer import guarded, viewer


async def _confirm_values(request: web.Request, detail: TicketDetail | None) -> dict[str, Any]:
    if detail is None:
        return {"ticket": None, "talk": (), "call": None}
    desk, reader = request.app[DESK], viewer(request)
    values: dict[str, Any] = {"talk": (), "call": None}
    values |= await ticket_values(request, detail)
    if detail.call is not None:
        call = await calls.one(desk, detail.call)
        values |= {
            "call": call.call, "recording": call.recording,
            "talk": talk_of(call, names_of(request, reader.account)),
        }  # fmt: skip
    return values


async def confirm_page(request: web.Request) -> web.StreamResponse:
    """GET /confirm and /confirm/{number}: the oldest that waits, or the one asked for."""
    asked = request.match_info.get("number")
    waiting = await todo.to_confirm(request.app[DESK], site_of(request, viewer(request).account))
    number = int(asked) if asked else waiting[0].number if waiting else None
    detail = await one_visible(request, number) if number is not None else None
    values = await _confirm_values(request, detail)
    return await render(request, "confirm.html", section="confirm", waiting=waiting, **values)


async def confirmed(request: web.Request) -> web.StreamResponse:
    """POST /confirm/{number}: confirm, or correct and confirm in one; then the next."""
    form = await read_form(request)
    key, number = form_key(form), int(request.match_info["number"])
    if form.get("change"):
        await perform(request, "correct", number, form, f"{key}-c")
    detail = await one_visible(request, number)
    if "confirm" in detail.may:
        await perform(request, "confirm", number, form, f"{key}-v")
    raise web.HTTPSeeOther("/confirm")


async def callbacks_page(request: web.Request) -> web.StreamResponse:
    """GET /callbacks"""
    rows = await callbacks_of(request)
    rings = not resident_calls.why_not(request.app[DESK].settings)
    return await render(request, "callbacks.html", section="callbacks", callbacks=rows, rings=rings)


async def called_back(request: web.Request) -> web.StreamResponse:
    """POST /callbacks/{id}: what came of it."""
    form = await read_form(request)
    key, result = form_key(form), form.get("result", "").strip()
    if not result:
        raise unfit("result", "say what came of it")
    callback = int(request.match_info["id"])
    await may_call_back(request, callback)
    await todo.callback_done(request.app[DESK], callback, viewer(request).actor, result, key)
    raise web.HTTPSeeOther("/callbacks")


async def ring_now(request: web.Request) -> web.StreamResponse:
    """POST /callbacks/{id}/ring: the house rings the resident, then the telephone of whoever asked for it (R22)."""
    key = form_key(await read_form(request))
    callback = int(request.match_info["id"])
    await may_call_back(request, callback)
    await resident_calls.ring_now(request.app[DESK], viewer(request).actor, key, callback=callback)
    raise web.HTTPSeeOther("/callbacks")


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [
        web.get("/confirm", guarded(confirm_page, Right.CONFIRM)),
        web.get(r"/confirm/{number:\d{6,15}}", guarded(confirm_page, Right.CONFIRM)),
        web.post(r"/confirm/{number:\d{6,15}}", guarded(confirmed, Right.CONFIRM)),
        web.get("/callbacks", guarded(callbacks_page, Right.CALL_BACK)),
        web.post(r"/callbacks/{id:\d{1,15}}", guarded(called_back, Right.CALL_BACK)),
        web.post(r"/callbacks/{id:\d{1,15}}/ring", guarded(ring_now, Right.CALL_BACK)),
    ]
