"""One search over everything said and written: a ticket's number goes straight there."""

from __future__ import annotations

import asyncio

from aiohttp import web

from callcenter.desk import calls, tickets
from callcenter.desk.models import CallFilter, Page
from callcenter.web.access import Right
from callcenter.web.forms import words_of
from callcenter.web.page import render
from callcenter.web.pages.tickets import Shown, filter_of
from callcenter.web.state import DESK, site_of
from callcenter.web.viewer import guarded, viewer

ROWS = 25
TICKET_DIGITS = 6


async def nothing() -> Page:
    """What is found where there is nothing to look for, or no right to."""
    return Page(())


async def search_page(request: web.Request) -> web.StreamResponse:
    """GET /search?q=漏水"""
    desk, reader = request.app[DESK], viewer(request)
    site, words = site_of(request, reader.account), words_of(request)
    if words.isascii() and words.isdigit() and TICKET_DIGITS <= len(words) <= 10:
        raise web.HTTPSeeOther(f"/tickets/{words}")
    found_tickets, found_calls = await asyncio.gather(
        tickets.page(desk, site, filter_of(Shown("all", words), reader), limit=ROWS) if words else nothing(),
        calls.page(desk, site, CallFilter(text=words), limit=ROWS)
        if words and reader.may(Right.SEE_CALLS)
        else nothing(),
    )
    return await render(
        request, "search.html", section="search", words=words, tickets=found_tickets.rows, calls=found_calls.rows
    )


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [web.get("/search", guarded(search_page, Right.SEE_TICKETS))]
