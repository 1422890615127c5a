"""Who may do what with a matter now, and doing it: its state, the rule and the matrix all have to allow it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from aiohttp import web

from callcenter.desk import acts, tickets
from callcenter.desk.models import TicketDetail
from callcenter.domain.staff import Organisation
from callcenter.errors import AccessError
from callcenter.web.access import Right, own_department_only
from callcenter.web.errors import STATUS_TEXTS, WebError
from callcenter.web.format import ZONE
from callcenter.web.state import DESK, duty_now
from callcenter.web.viewer import Viewer, viewer

CORRECTABLE = ("kind", "category", "urgency", "caller_name", "building", "unit", "room", "content")
RULED = frozenset({"accept", "hand_over", "start", "wait", "resume", "done", "mark"})
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
    if not organisation.has_department(row.department):
        return staff in (row.responsible, row.first_responder)
    department = organisation.department(row.department)
    own = {
        row.responsible, row.first_responder, row.asked, detail.handler, department.manager, *department.deputies,
        *organisation.above(department.manager), organisation.office, organisation.last_resort,
        organisation.general_manager, *on_duty, *(h.to_staff for h in detail.chain),
    }  # fmt: skip
    return staff in own or organisation.person(staff).department == department.id


async def entitled(request: web.Request, detail: TicketDetail) -> frozenset[str]:
    """What the viewer may do with it, whatever its state: a repeated request must find its own effect."""
    desk, reader, row = request.app[DESK], viewer(request), detail.ticket
    me, now = reader.account.staff, await duty_now(request, row.site)
    on_duty = [one.staff for one in now.now if one.role in ("leader", row.department)]
    theirs = concerned(desk.sites[row.site].organisation, detail, me, on_duty)
    answers = reader.may(Right.ANSWER_HANDOVER)
    allowed = {
        "refuse": answers and me is not None and me in {row.asked, *(h.to_staff for h in detail.chain)},
        "accept": theirs and answers,
        "confirm": reader.may(Right.CONFIRM),
        "correct": reader.may(Right.CORRECT),
        "close": reader.may(Right.MOVE_TICKETS),
        "reopen": reader.may(Right.MOVE_TICKETS),
    } | dict.fromkeys(RULED - {"accept"}, theirs)
    return frozenset(act for act, may in allowed.items() if may)


async def may_do(request: web.Request, detail: TicketDetail) -> frozenset[str]:
    """What the viewer may do with the matter now."""
    possible = {*detail.may, "mark"} if detail.ticket.joined_to is None else set(detail.may)
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


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE)
    except ValueError as error:
        raise WebError(422, "web.moment", details=[{"field": "until", "message": "not a time"}]) from error


async def perform(request: web.Request, act: str, number: int, form: dict[str, str], key: str) -> TicketDetail:
    """Do one act with a matter, once per key. Raises AccessError, DomainError, WebError 422 and 409."""
    desk, reader = request.app[DESK], viewer(request)
    detail = await one_visible(request, number)
    may = await entitled(request, detail)
    if act not in may:
        raise WebError(403, "web.act", details={"may": sorted(may & {*detail.may, "mark"})})
    actor, reason = reader.actor, form.get("reason", "").strip()
    if act in ("refuse", "hand_over") and not reason:
        raise WebError(422, "web.reason", details=[{"field": "reason", "message": "is needed (R16)"}])
    match act:
        case "accept":
            return await acts.accept(desk, number, actor, key)
        case "refuse":
            return await acts.refuse(desk, number, actor, reason, key)
        case "hand_over":
            return await acts.hand_over(desk, number, actor, form.get("to", ""), reason, key)
        case "confirm":
            return await acts.confirm(desk, number, actor, key)
        case "correct":
            changes = {name: form[name].strip() for name in CORRECTABLE if name in form}
            now = {**{n: getattr(detail.ticket, n) for n in ("kind", "category", "urgency", "content")},
                   "caller_name": detail.ticket.caller_name, "building": detail.building, "unit": detail.unit,
                   "room": detail.room}  # fmt: skip
            changed = {name: value for name, value in changes.items() if value != (now[name] or "")}
            return await acts.correct(desk, number, actor, changed, key) if changed else detail
        case "mark":
            what, said = form.get("what", "note"), form.get("text", "").strip()
            if what == "note":
                return await acts.note(desk, number, actor, said, key)
            return await acts.mark(desk, number, actor, what, said, key)
        case "wait":
            return await acts.change_state(
                desk, number, actor, "waiting", key, waiting_for=f"{form.get('waiting_for', 'resident')}: {reason}",
                until=_moment(form.get("until", "")),
            )  # fmt: skip
    to = {"start": "in_progress", "resume": "in_progress", "done": "done", "close": "archived", "reopen": "reopened"}[
        act
    ]
    return await acts.change_state(desk, number, actor, to, key, result=form.get("result", "").strip() or None)


MARKS = ("answered", "contacted", "called_back", "reported", "not_reached")
"""What meets a clock without changing the state (R15, R18–R23)."""
ACTS = {
    "accept": "accept", "refuse": "refuse", "hand-over": "hand_over", "confirm": "confirm", "correct": "correct",
    "start": "start", "wait": "wait", "resume": "resume", "done": "done", "close": "close", "reopen": "reopen",
    "mark": "mark",
}  # fmt: skip
"""Last part of the address → the act."""
