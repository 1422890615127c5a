"""What would happen: for a matter and a moment, who is responsible, asked and told, with the reasons (R11–R21)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from callcenter.desk import whatif
from callcenter.domain.matters import WATCHED_SOURCES
from callcenter.errors import ConfigError
from callcenter.web import format as shown
from callcenter.web.access import Right
from callcenter.web.errors import unfit
from callcenter.web.page import render
from callcenter.web.state import DESK, site_of
from callcenter.web.viewer import guarded, viewer

WRONG = {
    "route.unknown": "Choose one of the list.",
    "route.place": "A place is written 3-2-1102.",
    "route.unknown_place": "There is no such place in this site; places.yaml has them all.",
    "route.time": "A time is written 2026-11-21T20:10.",
    "route.year": "The year lies between 2000 and 2099.",
}
"""What does not fit, and how it is written."""
WRITTEN = {"route.place": "place", "route.unknown_place": "place", "route.time": "at", "route.year": "at"}
"""What does not fit → its field, for those that are written and not chosen."""
FIELDS = ("category", "kind", "urgency", "place", "at", "taken_by", "department", "source")


async def whatif_page(request: web.Request) -> web.StreamResponse:
    """GET /what-if?category=water_leak&urgency=emergency&place=3-2-1102&at=2026-11-21T20:10"""
    desk, reader = request.app[DESK], viewer(request)
    site = site_of(request, reader.account)
    form = {name: request.query.get(name, "").strip() for name in (*FIELDS, "households")}
    decision, wrong, field = None, None, None
    if form["category"]:
        try:
            decision = await whatif.ask(desk, site, question_of(form))
        except ConfigError as error:
            wrong, field = WRONG.get(error.code, error.message), WRITTEN.get(error.code)
    here = desk.sites[site]
    values: dict[str, Any] = {
        "decision": decision, "wrong": wrong, "field": field, "form": form, "taxonomy": here.taxonomy,
        "departments": here.organisation.departments, "staff": desk.staff(site), "sources": sorted(WATCHED_SOURCES),
        "now_local": f"{shown.local(datetime.now(UTC)):%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    return await render(request, "what_if.html", 422 if wrong else 200, section="duty", **values)


def question_of(form: dict[str, str]) -> whatif.Question:
    """The question as the form asks it; an empty field is left to the rule. Raises WebError 422."""
    households = form.get("households") or "1"
    if not re.fullmatch("[1-9][0-9]{0,3}", households):
        raise unfit("households", "a whole number from 1 to %(n)s", n=9999)
    return whatif.Question(
        form["category"], form.get("kind") or "repair", form.get("urgency") or "normal", form.get("place") or "",
        at=form.get("at") or None, taken_by=form.get("taken_by") or None, department=form.get("department") or None,
        households=int(households),
        source=form.get("source") or "resident",
    )  # fmt: skip


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [web.get("/what-if", guarded(whatif_page, Right.SEE_DUTY))]
