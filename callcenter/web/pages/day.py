"""A person's day: what waits for their acceptance, their matters by clock, follow-ups, reports, call-backs."""

from __future__ import annotations

from aiohttp import web

from callcenter.desk import todo
from callcenter.web.access import Right
from callcenter.web.acting import may_task, notice_read, perform
from callcenter.web.errors import unfit
from callcenter.web.forms import REPORT_AT_MOST, form_key, one_of, read_form
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
    whose = one_of(request, "whose", ("mine", "all"), "mine")
    all_of_them = reader.may(Right.FOLLOW_UP_FOR_OTHERS)
    everybody = all_of_them and (whose == "all" or not reader.account.staff)
    rows = await todo.follow_ups(desk, site, None if everybody else reader.account.staff or "-")
    staff = reader.account.staff
    return await render(
        request, "follow_ups.html", section="callbacks", rows=rows, everybody=everybody, me=staff,
        may_see_all=all_of_them,
    )  # fmt: skip


FOLLOW_UP = {"satisfied": "close", "unsatisfied": "reopen", "not_reached": "not_reached"}
"""What the resident said → the act."""


async def followed_up(request: web.Request) -> web.StreamResponse:
    """POST /follow-ups/{number}: satisfied, not solved, or not reached."""
    form = await read_form(request)
    key, said = form_key(form), form.get("said", "")
    if said not in FOLLOW_UP:
        raise unfit("said", "satisfied, not solved, or not reached")
    if said == "unsatisfied" and not form.get("result", "").strip():
        raise unfit("result", "say what is not solved")
    await perform(request, FOLLOW_UP[said], int(request.match_info["number"]), form, key)
    back = "/follow-ups?whose=all" if form.get("whose") == "all" else "/follow-ups"
    raise web.HTTPSeeOther(back)


async def task_done(request: web.Request) -> web.StreamResponse:
    """POST /tasks/{id}: the written report is handed in (R15), or the notice of an incident was read (R32)."""
    form = await read_form(request, text=REPORT_AT_MOST)
    key = form_key(form)
    task = await may_task(request, int(request.match_info["id"]))
    if task.kind == "report" and task.ticket is not None:
        await perform(request, "report", task.ticket, form, key)
    else:
        await notice_read(request, task, key, form.get("text", "").strip())
    raise web.HTTPSeeOther("/day")


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [
        web.get("/day", guarded(day_page, Right.SEE_TICKETS)),
        web.post(r"/tasks/{id:\d{1,15}}", guarded(task_done, Right.SEE_TICKETS)),
        web.get("/follow-ups", guarded(follow_ups_page, Right.SEE_TICKETS)),
        web.post(r"/follow-ups/{number:\d{6,15}}", guarded(followed_up, Right.SEE_TICKETS)),
    ]
