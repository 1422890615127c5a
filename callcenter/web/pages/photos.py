"""Photos of the work: sent from a phone, seen by whoever may see the matter; and the work order on paper (R9)."""

from __future__ import annotations

import asyncio

from aiohttp import web

from callcenter.desk import photos
from callcenter.domain.deadlines import Clock
from callcenter.web.access import Right
from callcenter.web.acting import may_do, one_visible
from callcenter.web.errors import WebError, unfit
from callcenter.web.forms import MAX_FORM, form_key, read_form
from callcenter.web.page import render
from callcenter.web.state import DESK, names_of
from callcenter.web.viewer import guarded, viewer

TYPES = {"jpeg": "image/jpeg", "png": "image/png"}


async def read_photo(request: web.Request) -> tuple[dict[str, str], bytes]:
    """The form's fields, and the file called `photo`. Raises WebError 422."""
    if request.content_type != "multipart/form-data":
        raise unfit("photo", "send it as multipart/form-data")
    form = await request.post()
    photo = form.get("photo")
    content = await asyncio.to_thread(photo.file.read) if isinstance(photo, web.FileField) else b""
    if not content:
        raise unfit("photo", "choose a photo")
    return await read_form(request), content


async def take(request: web.Request) -> web.StreamResponse:
    """POST /tickets/{number}/photos: from the page; its token is in the header or in the form."""
    fields, content = await read_photo(request)
    key, number = form_key(fields), int(request.match_info["number"])
    await keep(request, number, content, key, fields.get("note", ""))
    raise web.HTTPSeeOther(f"/tickets/{number}")


async def keep(request: web.Request, number: int, content: bytes, key: str, note: str) -> None:
    """Keep a photo of somebody who works on the matter. Raises WebError 403, DomainError."""
    detail = await one_visible(request, number)
    if "photo" not in await may_do(request, detail):
        raise WebError(403, "web.act")
    await photos.add(request.app[DESK], number, viewer(request).actor, content, key, note.strip())


async def show(request: web.Request) -> web.StreamResponse:
    """GET /tickets/{number}/photos/{name}"""
    detail = await one_visible(request, int(request.match_info["number"]))
    name = request.match_info["name"]
    path = photos.file_of(request.app[DESK], detail.ticket.site, detail.ticket.number, name)
    headers = {
        "Content-Type": TYPES[path.suffix[1:]], "Cache-Control": "private, max-age=3600",
        "Content-Disposition": f'inline; filename="{detail.ticket.number}{path.suffix}"',
    }  # fmt: skip
    return web.FileResponse(path, headers=headers)


async def work_order(request: web.Request) -> web.StreamResponse:
    """GET /tickets/{number}/work-order: 服务派工单, as it is printed."""
    detail = await one_visible(request, int(request.match_info["number"]))
    names = names_of(request, viewer(request).account)
    close_by = next((d for d in detail.deadlines if d.clock == Clock.CLOSE.value), None)
    asked = next((h for h in reversed(detail.chain)), None)
    return await render(
        request, "work_order.html", section="tickets", detail=detail, ticket=detail.ticket, close_by=close_by,
        worker=detail.handler or (asked.to_staff if asked else detail.ticket.responsible), names=names,
    )  # fmt: skip


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    number = r"/tickets/{number:\d{6,15}}"
    return [
        web.post(f"{number}/photos", guarded(take, Right.SEE_TICKETS, photos.BYTES_AT_MOST + MAX_FORM)),
        web.get(number + r"/photos/{name:[0-9a-f]{64}\.(?:jpeg|png)}", guarded(show, Right.SEE_TICKETS)),
        web.get(f"{number}/work-order", guarded(work_order, Right.SEE_TICKETS)),
    ]
