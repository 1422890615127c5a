"""/api/v1/tickets: matters and what is done with them, and what waits for a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from callcenter.desk import tickets, todo
from callcenter.desk.models import TicketDetail, TicketFilter
from callcenter.web.access import Right
from callcenter.web.acting import callbacks_of, may_call_back, may_do, one_visible, only_department, perform
from callcenter.web.api.endpoint import (
    BIGGEST,
    ROW_ID,
    TICKET_NUMBER,
    Answer,
    Body,
    Endpoint,
    Moment,
    Query,
    idempotency_key,
)
from callcenter.web.api.shapes import Callback, Task, Ticket, Tickets, WholeTicket
from callcenter.web.format import ZONE
from callcenter.web.forms import AT_MOST, REPORT_AT_MOST
from callcenter.web.state import DESK, names_of, site_of
from callcenter.web.viewer import viewer

Text = Field(min_length=1, max_length=AT_MOST["text"])


class TicketQuery(Query):
    """Which matters."""

    text: str | None = Field(None, max_length=200, description="Words said or written, a number, a place, a name.")
    state: str | None = Field(None, max_length=40)
    open_only: bool = False
    urgency: str | None = Field(None, max_length=40)
    department: str | None = Field(None, max_length=40)
    category: str | None = Field(None, max_length=40)
    responsible: str | None = Field(None, max_length=60)
    to_confirm: bool | None = None
    overdue: bool | None = None
    since: Moment | None = None
    until: Moment | None = None
    before: str | None = Field(None, max_length=200, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200)


class Nothing(Body):
    """No more to say."""


class Refusal(Body):
    """Why it is refused; counted (R16)."""

    reason: str = Text


class HandingOver(Body):
    """To whom and why: a staff id, or `department:` and a department's id for its chain."""

    to: str = Field(min_length=1, max_length=60)
    reason: str = Text


class Correction(Body):
    """What was understood wrongly; left out: stays."""

    kind: str | None = Field(None, max_length=40)
    category: str | None = Field(None, max_length=40)
    urgency: str | None = Field(None, max_length=40)
    caller_name: str | None = Field(None, max_length=AT_MOST["caller_name"])
    caller_number: str | None = Field(
        None, max_length=AT_MOST["caller_number"], description="Where the caller is rung back."
    )
    building: str | None = Field(None, max_length=AT_MOST["building"])
    unit: str | None = Field(None, max_length=AT_MOST["unit"])
    room: str | None = Field(None, max_length=AT_MOST["room"])
    content: str | None = Field(None, max_length=AT_MOST["content"])
    source: Literal["resident", "press", "authority", "mayor_hotline"] | None = Field(None, description="R15.")
    investigation: Literal["yes", "no"] | None = Field(None, description="Whether the answer needs one (R20).")


class Waiting(Body):
    """For whom or what, why, and until when."""

    waiting_for: Literal["resident", "material", "outside_body"]
    reason: str = Text
    until: Moment


class Outcome(Body):
    """What was done, or what the resident said."""

    result: str = Text


class Mark(Body):
    """A remark, or something that meets a clock: answered, contacted, called back."""

    what: Literal["note", "answered", "contacted", "called_back"] = "note"
    text: str = Text


class Dispute(Body):
    """Whose it is, and why (R16)."""

    reason: str = Text


class Settling(Body):
    """Who is responsible (staff id), and why (R16)."""

    to: str = Field(min_length=1, max_length=60)
    reason: str = Text


class Promise(Body):
    """When the resident will be called back, and about what (R22)."""

    at: Moment
    text: str = Field("", max_length=AT_MOST["text"])


class Joining(Body):
    """The number of the matter that it is the same as (R17)."""

    into: int = Field(ge=100_001, le=BIGGEST)


class Outside(Body):
    """To which outside body it was passed on (its id), and what was said."""

    to: str = Field(min_length=1, max_length=60)
    text: str = Text


class Report(Body):
    """The written report on a major matter (R15)."""

    text: str = Field(min_length=1, max_length=REPORT_AT_MOST)


class CallbackOutcome(Body):
    """What came of the call-back."""

    result: str = Text


class ToConfirm(Answer):
    """Matters that wait for confirmation (待核实), oldest first."""

    tickets: list[Ticket]


class Callbacks(Answer):
    """Call-backs to make, the next one due first."""

    callbacks: list[Callback]


class Tasks(Answer):
    """What people have to do."""

    tasks: list[Task]


async def whole(request: web.Request, detail: TicketDetail) -> WholeTicket:
    """The matter as this viewer may see it."""
    reader = viewer(request)
    return WholeTicket.whole(detail, reader, sorted(await may_do(request, detail)), names_of(request, reader.account))


async def list_tickets(request: web.Request, query: TicketQuery, _: None) -> Tickets:
    reader = viewer(request)
    department = only_department(reader) or query.department
    values = query.model_dump(exclude={"before", "limit", "department"})
    page = await tickets.page(
        request.app[DESK], site_of(request, reader.account), TicketFilter(**values, department=department),
        before=query.before, limit=query.limit,
    )  # fmt: skip
    return Tickets(tickets=[Ticket.of(row, reader) for row in page.rows], next=page.next)


async def get_ticket(request: web.Request, _: Any, __: None) -> WholeTicket:
    return await whole(request, await one_visible(request, int(request.match_info["number"])))


def _local(moment: datetime) -> str:
    return moment.astimezone(ZONE).replace(tzinfo=None).isoformat()


def _doing(act: str) -> Any:
    async def do(request: web.Request, _: Any, body: Body) -> WholeTicket:
        form = {
            name: _local(value) if isinstance(value, datetime) else str(value)
            for name, value in body.model_dump(exclude_none=True).items()
        }
        detail = await perform(request, act, int(request.match_info["number"]), form, idempotency_key(request))
        return await whole(request, detail)

    do.__name__ = f"{act}_ticket"
    return do


async def list_to_confirm(request: web.Request, _: Any, __: None) -> ToConfirm:
    reader = viewer(request)
    rows = await todo.to_confirm(request.app[DESK], site_of(request, reader.account))
    return ToConfirm(tickets=[Ticket.of(row, reader) for row in rows])


async def list_callbacks(request: web.Request, _: Any, __: None) -> Callbacks:
    reader = viewer(request)
    return Callbacks(callbacks=[Callback.of(row, reader) for row in await callbacks_of(request)])


async def callback_done(request: web.Request, _: Any, body: CallbackOutcome) -> Callback:
    reader, identity = viewer(request), int(request.match_info["id"])
    await may_call_back(request, identity)
    row = await todo.callback_done(
        request.app[DESK], identity, reader.actor, body.result, idempotency_key(request)
    )  # fmt: skip
    return Callback.of(row, reader)


async def list_tasks(request: web.Request, _: Any, __: None) -> Tasks:
    reader = viewer(request)
    rows = await todo.tasks(request.app[DESK], site_of(request, reader.account), reader.account.staff or "-")
    return Tasks(tasks=[Task.of(row) for row in rows])


def _act(path: str, act: str, summary: str, body: type[Body]) -> Endpoint:
    return Endpoint(
        "POST", f"/tickets/{{number}}/{path}", _doing(act), summary, "tickets", WholeTicket, body=body,
        right=Right.SEE_TICKETS, parts=(TICKET_NUMBER,), keyed=True, errors=(409,),
    )  # fmt: skip


ENDPOINTS = (
    Endpoint(
        "GET", "/tickets", list_tickets, "Matters, newest first", "tickets", Tickets, TicketQuery,
        right=Right.SEE_TICKETS,
    ),
    Endpoint(
        "GET", "/tickets/{number}", get_ticket, "One matter; an alias gives the matter it joined", "tickets",
        WholeTicket, right=Right.SEE_TICKETS, parts=(TICKET_NUMBER,),
    ),
    _act("accept", "accept", "Accept a hand-over (R13)", Nothing),
    _act("refuse", "refuse", "Refuse a hand-over; the refusal is counted (R16)", Refusal),
    _act("hand-over", "hand_over", "Hand over to somebody else (R13)", HandingOver),
    _act("correct", "correct", "Correct what was understood", Correction),
    _act("confirm", "confirm", "Confirm what was understood", Nothing),
    _act("start", "start", "Begin the work", Nothing),
    _act("wait", "wait", "Wait for the resident, material or an outside body", Waiting),
    _act("resume", "resume", "Go on after waiting", Nothing),
    _act("done", "done", "The work is done", Outcome),
    _act("mark", "mark", "Note something, or meet a clock (R18–R20, R22)", Mark),
    _act("call-back", "promise", "Promise the resident a call-back at a time (R22)", Promise),
    _act("close", "close", "The resident is satisfied: archive (R23)", Nothing),
    _act("reopen", "reopen", "Not satisfied: reopen (R23)", Outcome),
    _act("not-reached", "not_reached", "The follow-up call was not answered (R23)", Nothing),
    _act("dispute", "dispute", "It is another department's: before the office (R16)", Dispute),
    _act("settle", "settle", "The office says who is responsible (R16)", Settling),
    _act("join", "join", "The same matter as another (R17)", Joining),
    _act("outside", "outside", "It belongs to an outside body, which was told; we follow it (R5)", Outside),
    _act("report", "report", "Hand in the written report (R15)", Report),
    Endpoint(
        "GET", "/confirmations", list_to_confirm, "What waits for confirmation", "tickets", ToConfirm,
        right=Right.CONFIRM,
    ),
    Endpoint("GET", "/callbacks", list_callbacks, "Call-backs to make", "tickets", Callbacks, right=Right.CALL_BACK),
    Endpoint(
        "POST", "/callbacks/{id}/done", callback_done, "A call-back was made (R22)", "tickets", Callback,
        body=CallbackOutcome, right=Right.CALL_BACK, parts=(ROW_ID,), keyed=True, errors=(409,),
    ),
    Endpoint(
        "GET", "/tasks", list_tasks, "What this account's person has to do", "tickets", Tasks,
        right=Right.SEE_TICKETS,
    ),
)  # fmt: skip
