"""What handlers reach through the application: the desk, the settings, the site a request is about."""

from __future__ import annotations

import time

from aiohttp import web

from callcenter.config import Settings
from callcenter.desk import duty, tickets
from callcenter.desk.house import Desk
from callcenter.desk.models import Account, Counts, Duty
from callcenter.web.i18n import locale_of
from callcenter.web.names import Names

DESK = web.AppKey("desk", Desk)
SETTINGS = web.AppKey("settings", Settings)
SITE_COOKIE = "site"


def site_of(request: web.Request, account: Account | None = None) -> str:
    """The site a request is about: the account's own, else the one chosen, else the default."""
    if account is not None and account.site is not None:
        return account.site
    desk, settings = request.app[DESK], request.app[SETTINGS]
    chosen = request.cookies.get(SITE_COOKIE, "")
    if chosen in desk.sites:
        return chosen
    return settings.site.default if settings.site.default in desk.sites else next(iter(desk.sites))


DUTY_KEPT_S = 3.0
"""Every page names who is on duty; shifts change by the quarter of an hour."""
DUTY_KEPT: web.AppKey[dict[str, tuple[float, Duty]]] = web.AppKey("duty_kept", dict)


async def duty_now(request: web.Request, site: str) -> Duty:
    """Who is on duty now, read again after DUTY_KEPT_S."""
    kept = request.app[DUTY_KEPT]
    at, known = kept.get(site, (0.0, None))
    if known is None or time.monotonic() - at > DUTY_KEPT_S:
        known = await duty.now(request.app[DESK], site)
        kept[site] = (time.monotonic(), known)
    return known


COUNTS_KEY: web.RequestKey[Counts] = web.RequestKey("counts", Counts)


async def counts_of(request: web.Request, account: Account) -> Counts:
    """What waits, for the tabs and for the filters of a list. Asked once per request."""
    if COUNTS_KEY not in request:
        request[COUNTS_KEY] = await tickets.counts(request.app[DESK], site_of(request, account), account.staff)
    return request[COUNTS_KEY]


def names_of(request: web.Request, account: Account | None = None) -> Names:
    """Names of the request's site in its language."""
    return Names(request.app[DESK].sites[site_of(request, account)], locale_of(request))
