"""Pages: templates, the frame around them, and what every template may call."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from callcenter.desk import tickets
from callcenter.desk.models import Counts, TicketRow
from callcenter.web import format as shown
from callcenter.web.access import Right
from callcenter.web.i18n import LOCALES, html_tag, locale_of, phrases, translate
from callcenter.web.names import Names
from callcenter.web.security import style_nonce
from callcenter.web.state import DESK, counts_of, duty_now, names_of, site_of
from callcenter.web.viewer import Viewer, find_viewer

HERE = Path(__file__).parent
STATIC = HERE / "static"


@dataclass(frozen=True)
class Section:
    """One tab of the bar. `right` None: everybody. `go` is the second key after g."""

    name: str
    path: str
    text: str
    icon: str
    go: str
    right: Right | None = None


SECTIONS = (
    Section("day", "/day", "My day", "day", "m", Right.SEE_TICKETS),
    Section("calls", "/calls", "Calls", "phone", "c", Right.SEE_CALLS),
    Section("tickets", "/tickets", "Tickets", "ticket", "t", Right.SEE_TICKETS),
    Section("confirm", "/confirm", "To confirm", "ear", "v", Right.CONFIRM),
    Section("callbacks", "/callbacks", "Call-backs", "callback", "b", Right.CALL_BACK),
    Section("duty", "/duty", "Duty", "duty", "d", Right.SEE_DUTY),
    Section("accounts", "/accounts", "Accounts", "people", "a", Right.MANAGE_ACCOUNTS),
)


@dataclass(frozen=True)
class Frame:
    """What the bar shows besides the sections: who is on duty, how much waits, emergency contacts (R29)."""

    site_name: str = ""
    operator: str = ""
    leader: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    emergency_contacts: tuple[tuple[str, str], ...] = ()
    alarms: tuple[dict[str, Any], ...] = ()


@cache
def static_url(name: str) -> str:
    """Address of a static file with its content's hash, so that browsers keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


@cache
def icon(name: str) -> Markup:
    """An icon of the sprite; decoration only, words stand beside it."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        static_url("icons.svg"), name
    )


@pass_context
def due_clock(context: Context, due: datetime | None, met: bool = False) -> Markup:
    """A ticking clock: words now, exact time on hover, amber within a quarter of an hour, red when late."""
    if due is None:
        return Markup("")
    locale = context["locale"]
    left = (due - datetime.now(UTC)).total_seconds()
    state = "" if met else "late" if left < 0 else "soon" if left < 900 else ""
    title, words = escape(shown.exact(due, locale)), escape(shown.remaining(due, locale))
    return Markup(  # noqa: S704 - written here, or escaped
        f'<time class="due {state}" is-due data-due="{due.timestamp() * 1000:.0f}" datetime="{due.isoformat()}"'
        f' title="{title}">{words}</time>'
    )


NO_TIME = Markup('<span class="quiet">—</span>')
STYLES: dict[str, Callable[[datetime, str], str]] = {
    "moment": shown.moment,
    "clock": lambda when, _: shown.clock(when),
    "seconds": lambda when, _: shown.clock(when, seconds=True),
    "ago": shown.ago,
    "exact": shown.exact,
}


@pass_context
def at(context: Context, when: datetime | None, style: str = "moment") -> Markup:
    """A time in the style `moment`, `clock`, `seconds` or `ago`; its exact form on hover."""
    if when is None:
        return NO_TIME
    locale = context["locale"]
    title, words = escape(shown.exact(when, locale)), escape(STYLES[style](when, locale))
    return Markup(f'<time datetime="{when.isoformat()}" title="{title}">{words}</time>')  # noqa: S704 - as above


def found(text: str, wanted: str) -> Markup:
    """`text` with every occurrence of `wanted` marked."""
    parts = ((escape(piece), hit) for piece, hit in shown.highlight_parts(text, wanted))
    return Markup("".join(f"<mark>{piece}</mark>" if hit else piece for piece, hit in parts))  # noqa: S704 - escaped


@cache
def environment(locale: str) -> Environment:
    """Templates in one language."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols"],
    )
    made.globals |= {
        "_": phrases(locale), "static": static_url, "icon": icon, "due_clock": due_clock, "at": at,
        "SECTIONS": SECTIONS, "locale": locale, "html_lang": html_tag(locale),
    }  # fmt: skip
    made.filters |= {
        "offset": shown.offset,
        "span": partial(shown.span, locale=locale),
        "day": partial(shown.day, locale=locale),
        "local_day": lambda when: shown.day(shown.local(when).date(), locale),
        "found": found,
        "json": lambda value: Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")),  # noqa: S704
    }
    return made


def warm() -> None:
    """Load languages and templates before the role says that it is ready."""
    for locale in LOCALES:
        for name in environment(locale).list_templates():
            environment(locale).get_template(name)


async def frame_of(request: web.Request, reader: Viewer) -> Frame:
    """The bar's content for this viewer: short queries, asked at once."""
    desk, site, names = request.app[DESK], site_of(request, reader.account), names_of(request, reader.account)
    on_duty = await duty_now(request, site)
    hears = reader.may(Right.HEAR_ALARMS)
    counts, alarms = await asyncio.gather(
        counts_of(request, reader.account), tickets.alarms(desk, site, ALARMS_SHOWN if hears else 0)
    )
    holders = {one.role: one.staff for one in on_duty.now}
    return Frame(
        site_name=names.site_name,
        operator=names.staff(holders.get("operator") or on_duty.last_resort),
        leader=names.staff(holders.get("leader")),
        counts=bar_counts(counts),
        emergency_contacts=tuple(on_duty.emergency_numbers.items()),
        alarms=tuple(alarm_of(row, names) for row in alarms),
    )


def bar_counts(counts: Counts) -> dict[str, int]:
    """The figures of the tabs, by section."""
    return {
        "calls": counts.calls_now, "tickets": counts.waiting_for_me or counts.overdue, "confirm": counts.to_confirm,
        "callbacks": counts.callbacks,
    }  # fmt: skip


ALARMS_SHOWN = 12
"""Emergencies that stand above a page at once, the newest: more would leave no room to do anything about them."""


def alarm_of(row: TicketRow, names: Names) -> dict[str, Any]:
    """The line in the bar about an emergency nobody has accepted yet."""
    asked = translate(names.locale, "waiting for %(name)s", name=names.staff(row.asked or row.responsible))
    parts = (names.urgency(row.urgency), names.category(row.category), names.written_place(row.place), asked)
    return {"ticket": row.number, "text": " · ".join(p for p in parts if p), "due": row.asked_until}


async def render(
    request: web.Request, template: str, status: int = 200, section: str = "", **values: Any
) -> web.Response:
    """The page `template` for the viewer of `request`, within the frame when somebody is logged in."""
    viewer = await find_viewer(request)
    values.setdefault("names", names_of(request, viewer.account if viewer else None))
    if "frame" not in values:
        # a fragment for htmx still renders the frame's data lazily: only full pages ask the store for it
        partial_only = bool(request.headers.get("HX-Request")) and not request.headers.get("HX-Boosted")
        values["frame"] = await frame_of(request, viewer) if viewer and not partial_only else Frame()
    text = (
        environment(locale_of(request))
        .get_template(template)
        .render(
            viewer=viewer,
            csrf=viewer.csrf if viewer else "",
            section=section,
            theme=request.cookies.get("theme", ""),
            sound=request.cookies.get("sound", "on"),
            nonce=style_nonce(request),
            request=request,
            now=datetime.now(UTC),
            here=str(request.rel_url),
            new_key=lambda: secrets.token_urlsafe(12),
            **values,
        )
    )
    return web.Response(text=text, status=status, content_type="text/html", headers={"Vary": "HX-Request, Cookie"})


def back_of(request: web.Request) -> str:
    """Where to go from an error: the page itself without what did not fit, or the page whose form was sent."""
    if request.method == "GET":
        return request.path
    came_from = request.headers.get("Referer", "").partition("://")[2]
    host, _, path = came_from.partition("/")
    return f"/{path}" if host == request.host else "/"


async def render_error(request: web.Request, status: int, message: str, error_id: str, details: Any) -> web.Response:
    """A page that says what went wrong; for htmx a notice that replaces nothing."""
    values = {
        "error_status": status, "message": message, "error_id": error_id, "details": details, "back": back_of(request),
    }  # fmt: skip
    if request.headers.get("HX-Request"):
        answer = await render(request, "error_notice.html", status, frame=Frame(), **values)
        answer.headers["HX-Retarget"] = "#notices"
        answer.headers["HX-Reswap"] = "innerHTML"
        answer.headers["HX-Reselect"] = "unset"  # what sent it may select a part of a page, which a notice has not
        return answer
    try:
        return await render(request, "error.html", status, **values)
    except Exception:  # noqa: BLE001 - the frame needs the store, and the store may be what failed
        return await render(request, "error.html", status, frame=Frame(), **values)
