"""The application: pages, API, live news, the nodes' link, health and metrics over one desk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp_session import setup as setup_sessions
from aiohttp_session.cookie_storage import EncryptedCookieStorage

from callcenter.config import Settings
from callcenter.desk import link
from callcenter.desk.house import Desk
from callcenter.web import door, metrics, page
from callcenter.web.access import Right
from callcenter.web.api import routes as api
from callcenter.web.errors import errors_middleware
from callcenter.web.listening import HEARD, Heard
from callcenter.web.live import HUB, Hub, live
from callcenter.web.login_limit import LoginLimit
from callcenter.web.news import follow_desk
from callcenter.web.pages import accounts, calls, day, duty, incidents, photos, reach, search, tickets, todo, whatif
from callcenter.web.secrets import metrics_token, session_key
from callcenter.web.security import security_headers
from callcenter.web.state import DESK, DUTY_KEPT, SETTINGS
from callcenter.web.viewer import SESSION_S, TOKENS, guarded, viewer

MAX_RECORDING = 512 * 1024 * 1024
"""The link's uploads: a day of one call in FLAC."""
SESSION_COOKIE = "callcenter"


async def healthz(request: web.Request) -> web.StreamResponse:
    """GET /healthz: 200 while the desk works, 503 while its database is away."""
    healthy = request.app[DESK].healthy
    return web.json_response({"status": "ok" if healthy else "database away"}, status=200 if healthy else 503)


async def start(request: web.Request) -> web.StreamResponse:
    """GET /: the first section that this account sees."""
    raise web.HTTPSeeOther("/calls" if viewer(request).may(Right.SEE_CALLS) else "/day")


async def favicon(_: web.Request) -> web.StreamResponse:
    """GET /favicon.ico, for browsers that ask without being told."""
    return web.FileResponse(page.STATIC / "favicon.svg", headers={"Content-Type": "image/svg+xml"})


async def robots(_: web.Request) -> web.StreamResponse:
    """GET /robots.txt: nothing here is for search engines."""
    return web.Response(text="User-agent: *\nDisallow: /\n")


async def _news(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(follow_desk(app), name="news")
    yield
    app[HUB].end()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _end_live(app: web.Application) -> None:
    app[HUB].end()


def make_app(settings: Settings, desk: Desk) -> web.Application:
    """The application over an open desk."""
    app = web.Application(client_max_size=MAX_RECORDING, middlewares=[metrics.metrics_middleware])
    counted = metrics.Metrics()
    app[DESK], app[SETTINGS], app[DUTY_KEPT] = desk, settings, {}
    app[calls.TODAY_KEPT] = {}
    app[TOKENS], app[SESSION_S] = session_key(settings), settings.desk.session_hours * 3600
    app[door.LIMIT], app[HEARD] = LoginLimit(), Heard()
    app[metrics.METRICS], app[metrics.METRICS_TOKEN] = counted, metrics_token(settings)
    app[HUB] = Hub(counted.dropped.inc)
    setup_sessions(
        app,
        EncryptedCookieStorage(
            session_key(settings), cookie_name=SESSION_COOKIE, max_age=app[SESSION_S], samesite="Strict",
            secure=settings.desk.tls != "off", httponly=True,
        ),
    )  # fmt: skip
    app.middlewares.append(errors_middleware)
    app.on_response_prepare.append(security_headers(settings.desk.tls == "given"))
    app.cleanup_ctx.append(_news)
    app.on_shutdown.append(_end_live)
    app.add_routes(
        [
            web.get("/", guarded(start, None)),
            web.get("/live", guarded(live, None)),
            web.get("/healthz", healthz),
            web.get("/metrics", metrics.metrics),
            web.get("/favicon.ico", favicon),
            web.get("/robots.txt", robots),
            web.static("/static", page.STATIC),
        ]
    )
    for section in (door, day, calls, photos, tickets, incidents, todo, reach, duty, whatif, search, accounts):
        app.add_routes(section.routes())
    app.add_routes(api.routes())
    app.add_routes(link.routes(desk))
    return app
