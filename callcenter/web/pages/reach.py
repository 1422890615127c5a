"""How a person is reached: by urgency, within hours of their own and outside of them; a colleague's as well."""

from __future__ import annotations

import re
from datetime import time
from typing import Any

from aiohttp import web

from callcenter.desk import choices
from callcenter.desk.choices import HOUSE_WAY, MAIL, Choice, Plan, Wish
from callcenter.errors import AccessError
from callcenter.log import get_logger
from callcenter.web.access import Right
from callcenter.web.errors import STATUS_TEXTS, unfit
from callcenter.web.forms import form_key, read_form
from callcenter.web.page import render
from callcenter.web.state import DESK, SETTINGS, site_of
from callcenter.web.viewer import guarded, viewer

log = get_logger("web.reach")
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
WAYS = ("telephone", "mail")
"""Ways besides the pages, which always show everything."""


def whose(request: web.Request) -> str | None:
    """Whose choice is asked for: `staff` of the address, else the reader's own. Raises AccessError, WebError 422."""
    reader = viewer(request)
    asked = request.query.get("staff") or reader.account.staff
    if asked != reader.account.staff and not reader.may(Right.SET_REACHING):
        raise AccessError("web.right_missing", STATUS_TEXTS[403])
    if asked is not None and asked not in request.app[DESK].staff(site_of(request, reader.account)):
        raise unfit("staff", "choose one of the list")
    return asked


async def reach_page(request: web.Request) -> web.StreamResponse:
    """GET /reach?staff=gao_feng"""
    desk, settings, reader = request.app[DESK], request.app[SETTINGS], viewer(request)
    site, staff = site_of(request, reader.account), whose(request)
    choice = await choices.choice(desk, staff) if staff else None
    values: dict[str, Any] = {
        "staff": staff, "people": desk.staff(site), "choice": choice, "plan": _plan(choice) if choice else None,
        "finer": _finer(choice) if choice else (), "urgencies": tuple(HOUSE_WAY), "ways": WAYS,
        "mails": settings.messages.mail_host is not None, "rings": settings.edge.mode != "direct",
        "hooks": [hook for hook in settings.messages.webhooks if not hook.sites or site in hook.sites],
        "saved": "saved" in request.query,
    }  # fmt: skip
    return await render(request, "reach.html", section="day", **values)


def _plan(choice: Choice) -> Plan:
    """What the form begins with: the choice; the house's way where the choice is finer than the form."""
    return Plan.of(choice.wishes) or Plan(*choices.DAY, HOUSE_WAY, HOUSE_WAY)


def _finer(choice: Choice) -> tuple[Wish, ...]:
    """Wishes that the form cannot show: a program chose them."""
    return choice.wishes if Plan.of(choice.wishes) is None else ()


def _clock(form: dict[str, str], name: str) -> time:
    if not CLOCK.fullmatch(form.get(name, "")):
        raise unfit(name, "a time of day is written 08:30")
    return time.fromisoformat(form[name])


def plan_of(form: dict[str, str]) -> Plan:
    """The plan that was filled in. Raises WebError 422."""
    start, until = _clock(form, "begins"), _clock(form, "ends")
    if start == until:
        raise unfit("ends", "the hours begin and end at different times")
    within, outside = (
        {urgency: frozenset(way for way in WAYS if form.get(f"{urgency}-{when}-{way}")) for urgency in HOUSE_WAY}
        for when in ("within", "outside")
    )
    return Plan(start, until, within, outside)


async def choose(request: web.Request) -> web.StreamResponse:
    """POST /reach?staff=gao_feng: the choice is kept, or the house's way is taken again."""
    desk, reader, staff = request.app[DESK], viewer(request), whose(request)
    if staff is None:
        raise unfit("staff", "choose one of the list")
    form = await read_form(request)
    key, email = form_key(form), form.get("email", "").strip() or None
    if email is not None and not MAIL.fullmatch(email):
        raise unfit("email", "an address is written name@example.com")
    rules = [] if form.get("house") else plan_of(form).rules()
    await choices.choose(
        desk, staff, email=email, rules=rules, actor=reader.actor, key=f"{reader.actor}/{staff}/{key}"
    )
    log.info("web.reach_chosen", by=reader.account.id, own=staff == reader.account.staff)
    raise web.HTTPSeeOther(str(request.rel_url.update_query(staff=staff, saved="1")))


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [web.get("/reach", guarded(reach_page, None)), web.post("/reach", guarded(choose, None))]
