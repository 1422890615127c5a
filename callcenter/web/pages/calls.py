"""Calls: those in progress, with their words as they are spoken, and those that were."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from aiohttp import web
from markupsafe import Markup, escape

from callcenter.desk import calls, tickets
from callcenter.desk.models import CallDetail, CallFilter, CallRow, DayOfCalls, TicketFilter, TicketRow
from callcenter.domain.matters import SOURCES
from callcenter.web import format as shown
from callcenter.web.access import Right
from callcenter.web.acting import may_do, one_call
from callcenter.web.forms import words_of
from callcenter.web.i18n import locale_of, translate
from callcenter.web.names import Names
from callcenter.web.page import render
from callcenter.web.state import DESK, duty_now, names_of, site_of
from callcenter.web.talk import talk_of
from callcenter.web.viewer import guarded, viewer

PAGE_ROWS = 60
STRIP_WIDTH, STRIP_HEIGHT, STRIP_BASE = 960, 64, 71
DAY_S = 86400
THREE_RINGS = 3
BARS = 300
"""Calls that are drawn: more would only cover each other."""
TODAY_KEPT_S = 3.0
TODAY_KEPT: web.AppKey[dict[tuple[str, str], tuple[float, datetime, Strip]]] = web.AppKey("today_kept", dict)


@dataclass(frozen=True)
class Strip:
    """The day's calls as a picture, with its figures. `bars`: SVG, one bar a call."""

    calls: int
    within_three: str
    tickets: int
    bars: Markup
    now_x: float


def _midnight() -> datetime:
    return shown.local(datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0)


def strip_of(day: DayOfCalls, names: Names, since: datetime) -> Strip:
    """The strip of the calls since midnight: place by time, height by length, colour by urgency."""
    bars = []
    for row in day.drawn:
        length = row.duration_ms or 0
        x = round((row.ringing_at - since).total_seconds() / DAY_S * STRIP_WIDTH, 1)
        height = round(8 + min(1.0, length / 240_000) * (STRIP_HEIGHT - 8), 1)
        look = "missed" if not row.answered and row.over else row.urgency or "normal"
        title = escape(f"{shown.clock(row.ringing_at)} {shown.offset(length)} {names.category(row.category)}")
        bars.append(
            f'<rect class="{escape(look)}" x="{x}" y="{STRIP_BASE - height:.1f}" width="3" height="{height}" rx="1">'
            f"<title>{title}</title></rect>"
        )
    return Strip(
        calls=day.calls,
        within_three=f"{round(100 * day.quick / day.answered)} %" if day.answered else "—",
        tickets=day.tickets,
        bars=Markup("".join(bars)),  # noqa: S704 - written here, or escaped
        now_x=round((datetime.now(UTC) - since).total_seconds() / DAY_S * STRIP_WIDTH, 1),
    )


def day_heading(when: date, locale: str) -> str:
    """今天, 昨天, or the day's date."""
    today = shown.local(datetime.now(UTC)).date()
    words = {today: "Today", today - timedelta(days=1): "Yesterday"}
    return translate(locale, words[when]) if when in words else shown.day(when, locale)


def by_day(rows: Iterable[CallRow], locale: str) -> list[tuple[str, list[CallRow]]]:
    """Rows under the heading of their day."""
    grouped = groupby(rows, key=lambda row: shown.local(row.ringing_at).date())
    return [(day_heading(when, locale), list(group)) for when, group in grouped]


async def _list_values(request: web.Request, site: str, words: str) -> dict[str, Any]:
    desk = request.app[DESK]
    live = [] if words else await calls.now(desk, site)
    page = await calls.page(
        desk, site, CallFilter(text=words or None), before=request.query.get("before") or None, limit=PAGE_ROWS
    )
    shown_live = {row.id for row in live}
    return {
        "live": live,
        "days": by_day([row for row in page.rows if row.id not in shown_live], locale_of(request)),
        "next_before": page.next,
    }


async def _open_matters(request: web.Request, detail: CallDetail, site: str) -> list[TicketRow]:
    number = detail.call.from_number
    if not number:
        return []
    page = await tickets.page(request.app[DESK], site, TicketFilter(open_only=True, text=number), limit=6)
    return [row for row in page.rows if row.number != detail.call.ticket and row.caller_number == number]


async def _on_duty_for(request: web.Request, detail: CallDetail, site: str) -> dict[str, str] | None:
    """Who of the department that was understood is on duty: whom the matter will go to."""
    labels = detail.call.labels
    if labels is None or detail.call.ended_at is not None:
        return None
    on_duty = await duty_now(request, site)
    staff = next((one.staff for one in on_duty.now if one.role == labels.department.value), None)
    known = request.app[DESK].staff(site).get(staff or "")
    if staff is None or known is None:
        return None
    return {"staff": staff, "role": labels.department.value, "extension": known.extension or known.mobile or ""}


async def call_values(request: web.Request, call: UUID) -> dict[str, Any]:
    """What the talk and its context show of one call."""
    desk, reader = request.app[DESK], viewer(request)
    site, names = site_of(request, reader.account), names_of(request, reader.account)
    detail = await one_call(request, call)
    matter = await tickets.one(desk, detail.call.ticket) if detail.call.ticket else None
    taker = await _on_duty_for(request, detail, site) if matter is None else None
    listenings = []
    if reader.may(Right.SEE_LISTENING) and detail.recording:
        listenings = [
            {"name": account.name or account.login, "at": at} for account, at, _ in await listened_by(request, call)
        ]
    return {
        "detail": detail, "call": detail.call, "recording": detail.recording,
        "tickets": [matter.ticket] if matter else [],
        "matter": matter if matter and "correct" in await may_do(request, matter) else None,
        "taxonomy": desk.sites[site].taxonomy, "sources": SOURCES,
        "talk": talk_of(detail, names), "open_matters": await _open_matters(request, detail, site),
        "steps": [s for s in detail.steps if s.kind == "call.step"], "listenings": listenings,
        "taker": taker,
    }  # fmt: skip


async def listened_by(request: web.Request, call: UUID) -> list[tuple[Any, datetime, int]]:
    """Who listened to a call: (account, when, from where in ms), newest first."""
    from callcenter.desk import accounts

    known = {account.id: account for account in await accounts.every(request.app[DESK])}
    rows = await calls.listenings(request.app[DESK], call)
    return [(known[number], at, from_ms) for number, at, from_ms in rows if number in known]


async def _today(request: web.Request, site: str, names: Names) -> Strip:
    """The day's strip, drawn again after TODAY_KEPT_S: the page is asked for with every letter of a search."""
    kept, since, which = request.app[TODAY_KEPT], _midnight(), (site, locale_of(request))
    if which in kept:
        at, day, strip = kept[which]
        if day == since and time.monotonic() - at <= TODAY_KEPT_S:
            return strip
    strip = strip_of(await calls.day(request.app[DESK], site, since, THREE_RINGS, BARS), names, since)
    kept[which] = (time.monotonic(), since, strip)
    return strip


async def calls_page(request: web.Request) -> web.StreamResponse:
    """GET /calls: the list, and the call in progress, or the day at a glance."""
    reader = viewer(request)
    site, names = site_of(request, reader.account), names_of(request, reader.account)
    words = words_of(request)
    values = await _list_values(request, site, words)
    shown_call: dict[str, Any] = {"call": None}
    if values["live"] and not words and "today" not in request.query:
        shown_call = await call_values(request, values["live"][0].id)
    else:
        shown_call |= {"strip": await _today(request, site, names), "today": _midnight().date()}
    current = str(shown_call["call"].id) if shown_call["call"] else ""
    return await render(request, "calls.html", section="calls", words=words, current=current, **values, **shown_call)


async def call_page(request: web.Request) -> web.StreamResponse:
    """GET /calls/{call}: one call in its place in the list."""
    call = UUID(request.match_info["call"])
    reader = viewer(request)
    values: dict[str, Any] = {"live": [], "days": [], "next_before": None}
    if request.headers.get("HX-Target") not in ("pane", "talk"):
        values = await _list_values(request, site_of(request, reader.account), "")
    return await render(
        request,
        "calls.html",
        section="calls",
        words="",
        current=str(call),
        **values,
        **await call_values(request, call),
    )


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    uuid = r"{call:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}}"
    return [
        web.get("/calls", guarded(calls_page, Right.SEE_CALLS)),
        web.get(f"/calls/{uuid}", guarded(call_page, Right.SEE_CALLS)),
    ]
