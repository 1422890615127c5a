"""Who may do what with a matter now, and doing it: its state, the rule and the matrix all have to allow it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from aiohttp import web

from callcenter.desk import acts, calls, tickets, todo
from callcenter.desk.house import Desk
from callcenter.desk.models import CallbackRow, CallDetail, TaskRow, TicketDetail
from callcenter.domain.numbers import canonical
from callcenter.domain.places import Place
from callcenter.domain.staff import Organisation
from callcenter.domain.tickets import WaitFor
from callcenter.errors import AccessError, StoreError
from callcenter.site.load import Site
from callcenter.web.access import Right, own_department_only
from callcenter.web.errors import STATUS_TEXTS, WebError, unfit
from callcenter.web.format import ZONE
from callcenter.web.state import DESK, duty_now, site_of
from callcenter.web.viewer import Viewer, viewer

CORRECTABLE = (
    "kind", "category", "urgency", "caller_name", "caller_number", "building", "unit", "room", "content", "source",
    "investigation",
)  # fmt: skip
RULED = frozenset({
    "accept", "hand_over", "start", "wait", "resume", "done", "mark", "promise", "dispute", "join", "outside", "photo",
})  # fmt: skip
"""Acts of those whom the matter concerns (R14); nobody else may do them, whatever their role."""


def may_see(reader: Viewer, detail: TicketDetail) -> bool:
    """Whether this matter is one of the reader's department, or one they have a part in (R10)."""
    if not own_department_only(reader.role):
        return True
    row, me = detail.ticket, reader.account.staff
    part = {row.responsible, row.first_responder, row.asked, detail.handler}
    return row.department == reader.account.department or (me is not None and me in part)


def concerned(
    organisation: Organisation, detail: TicketDetail, staff: str | None, on_duty: Iterable[str | None]
) -> bool:
    """Whether the rule lets this person act on the matter: a preview for buttons, the rule itself decides (R14)."""
    if staff is None or not organisation.knows(staff):
        return False
    row = detail.ticket
    department = organisation.once_department(row.department)
    own = {
        row.responsible, row.first_responder, row.asked, detail.handler, department.manager, *department.deputies,
        *organisation.above(department.manager), organisation.office, organisation.last_resort,
        organisation.general_manager, *on_duty, *(h.to_staff for h in detail.chain),
    }  # fmt: skip
    return staff in own or organisation.person(staff).department == department.id


def only_department(reader: Viewer) -> str | None:
    """The one department whose matters the reader's lists show; None: all (R10). Who has none sees none."""
    return (reader.account.department or "-") if own_department_only(reader.role) else None


async def entitled(request: web.Request, detail: TicketDetail) -> frozenset[str]:
    """What the viewer may do with it, whatever its state: a repeated request must find its own effect."""
    desk, reader, row = request.app[DESK], viewer(request), detail.ticket
    me, now, organisation = reader.account.staff, await duty_now(request, row.site), desk.sites[row.site].organisation
    on_duty = [one.staff for one in now.now if one.role in ("leader", row.department)]
    theirs = concerned(organisation, detail, me, on_duty)
    answers = reader.may(Right.ANSWER_HANDOVER)
    followers = {
        row.first_responder, *(t.staff for t in detail.tasks if t.kind == "follow_up"), organisation.office,
        organisation.general_manager,
    }  # fmt: skip
    follows = reader.may(Right.FOLLOW_UP_FOR_OTHERS) or (me is not None and me in followers)
    writers = {*(t.staff for t in detail.tasks if t.kind == "report"), organisation.general_manager}
    reports = me is not None and me in writers
    allowed = {
        "refuse": answers and me is not None and me in {row.asked, *(h.to_staff for h in detail.chain)},
        "accept": theirs and answers,
        "confirm": reader.may(Right.CONFIRM),
        "correct": reader.may(Right.CORRECT),
        "close": follows, "not_reached": follows, "reopen": follows or reader.may(Right.MOVE_TICKETS),
        "settle": me is not None and me in (organisation.office, organisation.general_manager),
        "report": reports,
    } | dict.fromkeys(RULED - {"accept"}, theirs)
    return frozenset(act for act, may in allowed.items() if may)


async def may_do(request: web.Request, detail: TicketDetail) -> frozenset[str]:
    """What the viewer may do with the matter now."""
    possible = {*detail.may, "mark", "photo"} if detail.ticket.joined_to is None else set(detail.may)
    if not any(t.kind == "report" and t.state == "open" for t in detail.tasks):
        possible.discard("report")
    if detail.ticket.asked != viewer(request).account.staff:
        possible.discard("refuse")
    return await entitled(request, detail) & possible


async def one_visible(request: web.Request, number: int) -> TicketDetail:
    """One matter that the reader may see. Raises AccessError."""
    detail = await tickets.one(request.app[DESK], number)
    reader = viewer(request)
    if not may_see(reader, detail) or reader.account.site not in (None, detail.ticket.site):
        raise AccessError("web.other_department", STATUS_TEXTS[403])
    return detail


async def one_call(request: web.Request, call: UUID) -> CallDetail:
    """One call of a site that the reader may see. Raises StoreError `call.unknown`."""
    detail = await calls.one(request.app[DESK], call)
    if viewer(request).account.site not in (None, detail.call.site):
        raise StoreError("call.unknown", "there is no such call")
    return detail


LONGEST_WAIT = timedelta(days=366)
"""A matter that waits pauses its clocks (R21), and a call-back has a time: nobody puts either off for good."""


def _moment(form: dict[str, str], name: Literal["until", "at"]) -> datetime:
    try:
        moment = datetime.fromisoformat(form.get(name, "")).replace(tzinfo=ZONE)
    except ValueError as error:
        raise unfit(name, "a time is written 2026-11-21T20:10") from error
    if moment - datetime.now(UTC) > LONGEST_WAIT:
        raise unfit(name, "at most a year from now")
    return moment


PLACE = ("building", "unit", "room")
DEPARTMENT = "department:"
"""Before a department's id where a person's may stand: along its chain."""
NEEDS_REASON = frozenset({"refuse", "hand_over", "dispute", "settle"})


def _to_whom(to: str) -> tuple[str | None, str | None]:
    """A person's id, or a department's."""
    return (None, to.removeprefix(DEPARTMENT)) if to.startswith(DEPARTMENT) else (to, None)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise unfit("into", "a ticket's number, as 100001")
    return int(text)


def _said(form: dict[str, str]) -> str:
    said = form.get("text", "").strip()
    if not said:
        raise unfit("text", "is needed")
    return said


async def perform(request: web.Request, act: str, number: int, form: dict[str, str], key: str) -> TicketDetail:
    """Do one act with a matter, once per key. Raises AccessError, DomainError, WebError 422 and 409.

    A key that was used for another act of the same matter is a new one: nobody is told that something was done which
    was not.
    """
    desk, reader = request.app[DESK], viewer(request)
    detail = await one_visible(request, number)
    may = await entitled(request, detail)
    if act not in may:
        raise WebError(403, "web.act", details={"may": sorted(may & {*detail.may, "mark"})})
    if act == "join":
        await one_visible(request, _number(form.get("into", "")))
    actor, reason, key = reader.actor, form.get("reason", "").strip(), f"{act}:{key}"
    if act in NEEDS_REASON and not reason:
        raise unfit("reason", "is needed (R16)")
    if act in STATES:
        return await acts.change_state(
            desk, number, actor, STATES[act], key, result=form.get("result", "").strip() or None
        )
    return await DOING[act](Doing(desk, detail, number, actor, key, form, reason))


@dataclass(frozen=True)
class Doing:
    """One act of a person on a matter, as the form or the body gave it."""

    desk: Desk
    detail: TicketDetail
    number: int
    actor: str
    key: str
    form: dict[str, str]
    reason: str

    @property
    def one(self) -> tuple[Desk, int, str]:
        """What every act of the desk begins with."""
        return self.desk, self.number, self.actor


async def _hand_over(d: Doing) -> TicketDetail:
    to, department = _to_whom(d.form.get("to", ""))
    organisation = d.desk.sites[d.detail.ticket.site].organisation
    if not (organisation.has_department(department) if department is not None else organisation.knows(to or "")):
        raise unfit("to", "choose one of the list")
    return await acts.hand_over(*d.one, to, d.reason, d.key, department=department)


def check_correction(site: Site, changed: dict[str, str], place: Place) -> None:
    """Refuse a label that is none, a number that is none, and a place that is not there: `place` as it would be.

    Raises WebError 422.
    """
    if field := acts.unknown_label(site, changed):
        raise unfit(field, "choose one of the list")
    if "caller_number" in changed and canonical(changed["caller_number"], site.area_code) is None:
        raise unfit("caller_number", "a telephone number, as 13800138000")
    if not changed.keys() & set(PLACE) or not (place.building or place.unit or place.room):
        return
    if place.building is None:
        raise unfit("building", "is needed where a unit or a room is given")
    here = site.gazetteer.building(place.building)
    if here is None:
        there = ", ".join(b.name for b in site.gazetteer.buildings)
        raise unfit("building", "is not in this site (places.yaml), which has: %(there)s", there=there)
    if place.unit is not None and here.unit(place.unit) is None:
        there = ", ".join(u.name for u in here.units)
        raise unfit("unit", "is not in that building (places.yaml), which has: %(there)s", there=there)
    if not site.gazetteer.knows(place.building, place.unit, place.room):
        raise unfit("room", "is not in that building (places.yaml); leave it empty where it is not sure")


async def _correct(d: Doing) -> TicketDetail:
    ticket, detail = d.detail.ticket, d.detail
    changes = {name: d.form[name].strip() for name in CORRECTABLE if name in d.form}
    if not changes.get("caller_number"):  # a page shows it masked, and leaves it empty where it stays
        changes.pop("caller_number", None)
    now = {**{n: getattr(ticket, n) for n in ("kind", "category", "urgency", "content", "caller_name")},
           "caller_number": ticket.caller_number, "building": detail.building, "unit": detail.unit,
           "room": detail.room, "source": detail.source,
           "investigation": "yes" if detail.investigation else "no"}  # fmt: skip
    changed = {name: value for name, value in changes.items() if value != (now[name] or "")}
    check_correction(d.desk.sites[ticket.site], changed, Place(*(changes.get(p, now[p]) or None for p in PLACE)))
    return await acts.correct(*d.one, changed, d.key) if changed else detail


async def _mark(d: Doing) -> TicketDetail:
    what, said = d.form.get("what", "note"), d.form.get("text", "").strip()
    if what not in ("note", *MARKS):
        raise unfit("what", "choose one of the list")
    if what == "note":
        return await acts.note(*d.one, said, d.key)
    return await acts.mark(*d.one, what, said, d.key)


async def _pass_outside(d: Doing) -> TicketDetail:
    body, said = d.form.get("to", ""), _said(d.form)
    if all(body != known.id for known in d.desk.sites[d.detail.ticket.site].organisation.outside_bodies):
        raise unfit("to", "choose one of the list")
    return await acts.pass_outside(*d.one, body, said, d.key)


async def _promise(d: Doing) -> TicketDetail:
    return await acts.promise(*d.one, _moment(d.form, "at"), d.form.get("text", "").strip(), d.key)


async def _wait(d: Doing) -> TicketDetail:
    if d.form.get("waiting_for", "resident") not in set(WaitFor):
        raise unfit("waiting_for", "choose one of the list")
    return await acts.change_state(
        *d.one, "waiting", d.key, waiting_for=f"{d.form.get('waiting_for', 'resident')}: {d.reason}",
        until=_moment(d.form, "until"),
    )  # fmt: skip


STATES = {"start": "in_progress", "resume": "in_progress", "done": "done", "close": "archived", "reopen": "reopened"}
"""Acts that are nothing but another state."""
DOING: dict[str, Callable[[Doing], Awaitable[TicketDetail]]] = {
    "accept": lambda d: acts.accept(*d.one, d.key),
    "refuse": lambda d: acts.refuse(*d.one, d.reason, d.key),
    "hand_over": _hand_over,
    "confirm": lambda d: acts.confirm(*d.one, d.key),
    "correct": _correct,
    "mark": _mark,
    "wait": _wait,
    "promise": _promise,
    "dispute": lambda d: acts.dispute(*d.one, d.reason, d.key),
    "settle": lambda d: acts.settle(*d.one, d.form.get("to", ""), d.reason, d.key),
    "join": lambda d: acts.join(*d.one, _number(d.form.get("into", "")), d.key),
    "outside": _pass_outside,
    "not_reached": lambda d: acts.mark(*d.one, "not_reached", "", d.key),
    "report": lambda d: acts.mark(*d.one, "reported", _said(d.form), d.key),
}


async def callbacks_of(request: web.Request) -> list[CallbackRow]:
    """Call-backs to make that the reader may see (R10), the next due first."""
    reader = viewer(request)
    return await todo.callbacks(
        request.app[DESK], site_of(request, reader.account), department=only_department(reader),
        staff=reader.account.staff,
    )  # fmt: skip


async def may_call_back(request: web.Request, identity: int) -> None:
    """Raises StoreError for a call-back that is none, AccessError for one whose matter the reader may not see (R10)."""
    row, reader = await todo.callback(request.app[DESK], identity), viewer(request)
    if row.ticket is not None:
        await one_visible(request, row.ticket)
    elif reader.account.site not in (None, row.site):
        raise AccessError("web.other_department", STATUS_TEXTS[403])


async def may_task(request: web.Request, number: int) -> TaskRow:
    """A task of the reader's own. Raises AccessError for somebody else's."""
    task = await todo.task(request.app[DESK], number)
    reader = viewer(request)
    if task.staff is None or task.staff != reader.account.staff or reader.account.site not in (None, task.site):
        raise AccessError("web.other_task", STATUS_TEXTS[403])
    return task


async def notice_read(request: web.Request, task: TaskRow, key: str, text: str) -> TaskRow:
    """The notice of an incident was read and seen to, once per key. Raises WebError 409 for tasks of another kind."""
    if task.kind != "incident":
        raise WebError(409, "web.task")
    return await todo.task_done(request.app[DESK], task.id, viewer(request).actor, key, text)


MARKS = ("answered", "contacted", "called_back")
"""What meets a clock without changing the state (R18–R20, R22); reports and follow-ups have acts of their own."""
ACTS = {
    "accept": "accept", "refuse": "refuse", "hand-over": "hand_over", "confirm": "confirm", "correct": "correct",
    "start": "start", "wait": "wait", "resume": "resume", "done": "done", "close": "close", "reopen": "reopen",
    "mark": "mark", "dispute": "dispute", "settle": "settle", "join": "join", "not-reached": "not_reached",
    "report": "report", "outside": "outside", "call-back": "promise",
}  # fmt: skip
"""Last part of the address → the act."""
