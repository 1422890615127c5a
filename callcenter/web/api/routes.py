"""Every endpoint of the API, and the answer to addresses that are none."""

from __future__ import annotations

from aiohttp import web

from callcenter.web.api import calls, duty, reaching, tickets, work

ENDPOINTS = (*duty.ENDPOINTS, *calls.ENDPOINTS, *tickets.ENDPOINTS, *work.ENDPOINTS, *reaching.ENDPOINTS)


def routes() -> list[web.RouteDef]:
    """The API's routes."""
    return [endpoint.route() for endpoint in ENDPOINTS]
