"""One search over everything said and written: a ticket's number goes straight there."""

from __future__ import annotations

from aiohttp import web

from callcenter.desk import calls, tickets
from callcenter.desk.models import CallFilter
from callcenter.web.access import Right
from callcenter.web.forms import words_of
from callcenter.web.page import render
from callcenter.web.pages.tickets import Shown, filter_of
from callcenter.web.state import DESK, site_of
from callcenter.web.viewer import guarded, viewer

ROWS = 25
TICKET_DIGITS = 6


async def search_page(request: web.Request) -> web.StreamResponse:
    """GET /search?q=漏水"""
    desk, reader = request.app[DESK], viewer(request)
    site, words = site_of(request, reader.account), words_of(request)
    if words.isascii() and words.isdigit() and TICKET_DIGITS <= len(words) <= 10:
        raise web.HTTPSeeOther(f"/tickets/{words}")
    found_tickets = (
        (await tickets.page(desk, site, filter_of(Shown("all", words), reader), limit=ROWS)).rows if words else ()
    )
    found_calls = (
        (await calls.page(desk, site, CallFilter(text=words), limit=ROWS)).rows
        if words and reader.may(Right.SEE_CALLS)
        else ()
    )
    return await render(request, "search.html", section="search", words=words, tickets=found_tickets, calls=found_calls)


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [web.get("/search", guarded(search_page, Right.SEE_TICKETS))]
