"""Tickets: lists by what needs doing, one matter with its record, chain, reasons and history, and what one may do."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from aiohttp import web

from callcenter.desk import messages, tickets
from callcenter.desk.models import TicketDetail, TicketFilter, TicketRow
from callcenter.domain.matters import SOURCES
from callcenter.web.access import Right
from callcenter.web.acting import ACTS, MARKS, may_do, one_visible, only_department, perform
from callcenter.web.format import ZONE
from callcenter.web.forms import REPORT_AT_MOST, form_key, one_of, read_form, words_of
from callcenter.web.history import history_of
from callcenter.web.i18n import translate
from callcenter.web.names import Names
from callcenter.web.page import render
from callcenter.web.state import DESK, counts_of, duty_now, names_of, site_of
from callcenter.web.viewer import Viewer, guarded, viewer

PAGE_ROWS = 60
SHOWN = ("open", "mine", "late", "emergency", "closed", "all")
CLOSED_STATE = "archived"
TEXT_AT_MOST = {"report": {"text": REPORT_AT_MOST}}
"""Acts that take longer texts than others."""
CALL_PAGE = re.compile(r"/calls/[0-9a-f-]{36}")
"""Whoever corrects beside a call stays there."""


@dataclass(frozen=True)
class Field:
    """One field of the 来电记录表 (R6). `evidence`: the caller's words."""

    name: str
    value: str
    wide: bool = False
    evidence: str = ""
    later: bool = False
    """Filled in by the work, not by the call: nothing is missing while it is empty."""


@dataclass(frozen=True)
class Shown:
    """What the list shows: one of SHOWN, and words to search."""

    show: str
    q: str


def filter_of(shown: Shown, reader: Viewer) -> TicketFilter:
    """The list that was asked for, narrowed to what the reader may see (R10)."""
    everything = TicketFilter(department=only_department(reader), text=shown.q or None)
    unfinished = replace(everything, open_only=True)
    return {
        "open": unfinished,
        "mine": replace(unfinished, responsible=reader.account.staff or "-"),
        "late": replace(unfinished, overdue=True),
        "emergency": replace(unfinished, urgency="emergency"),
        "closed": replace(everything, state=CLOSED_STATE),
        "all": everything,
    }[shown.show]


def record_of(detail: TicketDetail, names: Names, reader: Viewer) -> list[Field]:
    """The 来电记录表: every field of R6, empty where nobody knows."""
    row, labels = detail.ticket, detail.labels

    def text(words: str) -> str:
        return translate(names.locale, words)

    place = names.place(detail.building, detail.unit, detail.room, row.place)
    done = detail.result or (text(f"state:{row.state}") if detail.accepted_at else "")
    return [
        Field(text("Time"), f"{row.opened_at.astimezone(ZONE):%Y-%m-%d %H:%M}"),
        Field(text("Number"), reader.number(row.caller_number) or ""),
        Field(text("Name"), row.caller_name or "", evidence=labels.name.evidence),
        Field(text("Place"), place, evidence=labels.place.building.evidence),
        Field(text("Kind"), names.kind(row.kind), evidence=labels.kind.evidence),
        Field(text("Category"), names.category(row.category), evidence=labels.category.evidence),
        Field(text("Urgency"), names.urgency(row.urgency), evidence=labels.urgency.evidence),
        Field(text("Department"), names.department(row.department)),
        Field(text("Received by"), names.staff(row.first_responder)),
        Field(text("Handled by"), names.staff(detail.handler), later=True),
        Field(text("Content"), row.content, wide=True),
        Field(text("What was done"), done, wide=True, later=True),
    ]


def by_clock(rows: tuple[TicketRow, ...]) -> tuple[TicketRow, ...]:
    """What is due first stands first."""
    return tuple(sorted(rows, key=lambda row: (row.due_at is None, row.due_at or row.opened_at)))


async def _list_values(request: web.Request, reader: Viewer) -> dict[str, Any]:
    shown = Shown(one_of(request, "show", SHOWN, "open"), words_of(request))
    desk, site = request.app[DESK], site_of(request, reader.account)
    before = request.query.get("before") or None
    page, counts = await asyncio.gather(
        tickets.page(desk, site, filter_of(shown, reader), before=before, limit=PAGE_ROWS),
        counts_of(request, reader.account),
    )
    asked: tuple[TicketRow, ...] = ()
    if shown.show == "mine" and reader.account.staff and before is None:
        mine = TicketFilter(open_only=True, asked=reader.account.staff, text=shown.q or None)
        asked = (await tickets.page(desk, site, mine, limit=PAGE_ROWS)).rows
    return {
        "filter": shown, "asked": asked,
        "tickets": by_clock(page.rows) if shown.show == "mine" else page.rows, "next_before": page.next,
        "counts": {"late": counts.overdue, "emergency": counts.emergencies, "mine": counts.waiting_for_me},
    }  # fmt: skip


async def _others(request: web.Request, detail: TicketDetail, site: str) -> list[TicketRow]:
    number = detail.ticket.caller_number
    if not number:
        return []
    theirs = TicketFilter(text=number, department=only_department(viewer(request)))
    page = await tickets.page(request.app[DESK], site, theirs, limit=6)
    return [row for row in page.rows if row.number != detail.ticket.number and row.caller_number == number]


async def ticket_values(request: web.Request, detail: TicketDetail) -> dict[str, Any]:
    """What the pages show of one matter."""
    desk, reader = request.app[DESK], viewer(request)
    site, names = site_of(request, reader.account), names_of(request, reader.account)
    on_duty = await duty_now(request, site)
    record, may = record_of(detail, names, reader), await may_do(request, detail)
    people = sorted(desk.staff(site).values(), key=lambda s: s.department)
    running = sorted((d for d in detail.deadlines if d.state in ("running", "missed")), key=lambda d: d.due_at)
    return {
        "detail": detail, "ticket": detail.ticket, "record": record,
        "record_done": sum(1 for f in record if f.value and not f.later),
        "record_all": sum(1 for f in record if not f.later),
        "marks": MARKS,
        "can": {act: act in may for act in (*ACTS.values(), "photo")},
        "departments": desk.sites[site].organisation.departments, "next_due": running[0] if running else None,
        "staff_by_department": [(d, list(group)) for d, group in groupby(people, key=lambda s: s.department)],
        "on_duty": {one.staff for one in on_duty.now}, "taxonomy": desk.sites[site].taxonomy, "sources": SOURCES,
        "outside_bodies": desk.sites[site].organisation.outside_bodies,
        "events": history_of(detail, names), "others": await _others(request, detail, site),
    }  # fmt: skip


async def _page(request: web.Request, detail: TicketDetail | None, status: int = 200) -> web.Response:
    reader = viewer(request)
    values: dict[str, Any] = {
        "filter": Shown("open", ""),
        "tickets": (),
        "asked": (),
        "next_before": None,
        "counts": {},
    }
    if detail is None or request.headers.get("HX-Target") != "pane":
        values = await _list_values(request, reader)
    matter = await ticket_values(request, detail) if detail else {"ticket": None}
    return await render(request, "tickets.html", status, section="tickets", **values, **matter)


async def tickets_page(request: web.Request) -> web.StreamResponse:
    """GET /tickets"""
    return await _page(request, None)


async def ticket_page(request: web.Request) -> web.StreamResponse:
    """GET /tickets/{number}: an alias shows the matter it joined. Who reads it need not be rung to be told of it."""
    detail, staff = await one_visible(request, int(request.match_info["number"])), viewer(request).account.staff
    if staff is not None:
        await messages.read_by(request.app[DESK], detail.ticket.number, staff)
    return await _page(request, detail)


async def act_page(request: web.Request) -> web.StreamResponse:
    """POST /tickets/{number}/{act}: the matter afterwards; for htmx in place, else by a redirect."""
    form = await read_form(request, **TEXT_AT_MOST.get(request.match_info["act"], {}))
    key = form_key(form)
    number = int(request.match_info["number"])
    detail = await perform(request, ACTS[request.match_info["act"]], number, form, key)
    if request.headers.get("HX-Request"):
        return await _page(request, detail)
    if CALL_PAGE.fullmatch(form.get("back", "")):
        raise web.HTTPSeeOther(form["back"])
    raise web.HTTPSeeOther(f"/tickets/{detail.ticket.number}")


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [
        web.get("/tickets", guarded(tickets_page, Right.SEE_TICKETS)),
        web.get(r"/tickets/{number:\d{6,15}}", guarded(ticket_page, Right.SEE_TICKETS)),
        web.post(r"/tickets/{number:\d{6,15}}/{act:" + "|".join(ACTS) + "}", guarded(act_page, Right.SEE_TICKETS)),
    ]
