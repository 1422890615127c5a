"""A person's day: what waits for their acceptance, their matters by clock, follow-ups, reports, call-backs."""

from __future__ import annotations

from aiohttp import web

from callcenter.desk import todo
from callcenter.web.access import Right
from callcenter.web.acting import may_task, perform
from callcenter.web.errors import WebError
from callcenter.web.page import render
from callcenter.web.state import DESK, site_of
from callcenter.web.viewer import guarded, viewer


async def day_page(request: web.Request) -> web.StreamResponse:
    """GET /day: nothing but an explanation for an account that is nobody of ours."""
    reader = viewer(request)
    site, me = site_of(request, reader.account), reader.account.staff
    day = await todo.day(request.app[DESK], site, me) if me else None
    return await render(request, "day.html", section="day", day=day)


async def follow_ups_page(request: web.Request) -> web.StreamResponse:
    """GET /follow-ups?whose=all: the list with the script to read (R23)."""
    reader = viewer(request)
    desk, site = request.app[DESK], site_of(request, reader.account)
    everybody = reader.may(Right.MOVE_TICKETS) and (request.query.get("whose") == "all" or not reader.account.staff)
    rows = await todo.follow_ups(desk, site, None if everybody else reader.account.staff or "-")
    staff = reader.account.staff
    return await render(
        request, "follow_ups.html", section="callbacks", rows=rows, everybody=everybody, me=staff,
        may_see_all=reader.may(Right.MOVE_TICKETS),
    )  # fmt: skip


FOLLOW_UP = {"satisfied": "close", "unsatisfied": "reopen", "not_reached": "not_reached"}
"""What the resident said → the act."""


async def followed_up(request: web.Request) -> web.StreamResponse:
    """POST /follow-ups/{number}: satisfied, not solved, or not reached."""
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    key, said = _key(form), form.get("said", "")
    if said not in FOLLOW_UP:
        raise WebError(422, "web.said", details=[{"field": "said", "message": "satisfied, unsatisfied or not_reached"}])
    if said == "unsatisfied" and not form.get("result", "").strip():
        raise WebError(422, "web.result", details=[{"field": "result", "message": "say what is not solved"}])
    await perform(request, FOLLOW_UP[said], int(request.match_info["number"]), form, key)
    back = "/follow-ups?whose=all" if form.get("whose") == "all" else "/follow-ups"
    raise web.HTTPSeeOther(back)


def _key(form: dict[str, str]) -> str:
    key = form.get("key", "")
    if not 8 <= len(key) <= 100:
        raise WebError(422, "web.key", details=[{"field": "key", "message": "8 to 100 characters"}])
    return key


async def task_done(request: web.Request) -> web.StreamResponse:
    """POST /tasks/{id}: the written report is handed in (R15), or the notice of an incident was read (R32)."""
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    key = _key(form)
    task = await may_task(request, int(request.match_info["id"]))
    if task.kind == "report" and task.ticket is not None:
        await perform(request, "report", task.ticket, form, key)
    else:
        said = form.get("text", "").strip()[:8000]
        await todo.task_done(request.app[DESK], task.id, viewer(request).actor, key, said)
    raise web.HTTPSeeOther("/day")


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [
        web.get("/day", guarded(day_page, Right.SEE_TICKETS)),
        web.post(r"/tasks/{id:\d{1,15}}", guarded(task_done, Right.SEE_TICKETS)),
        web.get("/follow-ups", guarded(follow_ups_page, Right.SEE_TICKETS)),
        web.post(r"/follow-ups/{number:\d{6,15}}", guarded(followed_up, Right.SEE_TICKETS)),
    ]
