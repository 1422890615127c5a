"""/api/v1: how people want to be reached, residents rung at once, and what was sent because of a matter."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field

from callcenter.desk import choices, messages, resident_calls, todo
from callcenter.errors import StoreError
from callcenter.web.access import Right
from callcenter.web.acting import may_call_back, one_visible
from callcenter.web.api.endpoint import ROW_ID, STAFF, TICKET_NUMBER, Answer, Body, Endpoint, idempotency_key
from callcenter.web.state import DESK, site_of
from callcenter.web.viewer import viewer

CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class Wish(Body):
    """For matters of this urgency, between two local times (past midnight if `from` is later): these ways."""

    urgency: Literal["emergency", "important", "normal", "any"] = "any"
    channels: list[Literal["page", "mail", "telephone"]] = Field(max_length=3)
    from_: str | None = Field(None, alias="from", pattern=CLOCK)
    until: str | None = Field(None, pattern=CLOCK)


class ChoiceBody(Body):
    """The first rule that fits counts; where none does, the house's way. An emergency rings all the same (R13, R15)."""

    email: str | None = Field(None, min_length=3, max_length=254)
    rules: list[Wish] = Field(default_factory=list, max_length=20)


class Choice(Answer):
    """What a person chose. `email`: theirs, else the one of the site's files."""

    staff: str
    email: str | None
    rules: list[dict[str, Any]]


class Rung(Answer):
    """A call to a resident that is under way or about to be."""

    ticket: int
    purpose: Literal["callback", "follow_up"]
    state: str


class Sent(Answer):
    """Something that was sent to one of our people, or to a webhook."""

    staff: str | None
    channel: str
    target: str
    rule: str
    state: str
    attempts: int
    result: str | None
    created_at: datetime
    sent_at: datetime | None
    seen_at: datetime | None


class ResidentCall(Answer):
    """A call of ours to the resident; `score` 1 (very dissatisfied) to 5 (very satisfied)."""

    purpose: str
    state: str
    attempts: int
    next_at: datetime
    call: UUID | None
    result: str | None
    score: int | None
    asked_by: str | None


class Reached(Answer):
    """Who was reached, and how, because of a matter."""

    messages: list[Sent]
    resident_calls: list[ResidentCall]


def _of(choice: choices.Choice) -> Choice:
    return Choice(staff=choice.staff, email=choice.email, rules=[wish.plain() for wish in choice.wishes])


def _me(request: web.Request) -> str:
    staff = viewer(request).account.staff
    if staff is None:
        raise StoreError("staff.unknown", "this account belongs to nobody of the roster")
    return staff


def _whose(request: web.Request) -> str:
    """The person that the address names, of the reader's site; without one the reader."""
    named = request.match_info.get("staff")
    if named is None:
        return _me(request)
    if named not in request.app[DESK].staff(site_of(request, viewer(request).account)):
        raise StoreError("staff.unknown", "there is no such person")
    return named


async def get_choice(request: web.Request, _: Any, __: None) -> Choice:
    return _of(await choices.choice(request.app[DESK], _whose(request)))


async def put_choice(request: web.Request, _: Any, body: ChoiceBody) -> Choice:
    staff, actor = _whose(request), viewer(request).actor
    rules = [wish.model_dump(by_alias=True, exclude_none=True) for wish in body.rules]
    key = f"{actor}/{staff}/{idempotency_key(request)}"
    chosen = await choices.choose(request.app[DESK], staff, email=body.email, rules=rules, actor=actor, key=key)
    return _of(chosen)


async def ring_callback(request: web.Request, _: Any, __: None) -> Rung:
    identity = int(request.match_info["id"])
    await may_call_back(request, identity)
    ticket = (await todo.callback(request.app[DESK], identity)).ticket
    if ticket is None:
        raise StoreError("callback.unknown", "there is no such call-back")
    return await _ring(request, ticket, callback=identity)


async def ring_resident(request: web.Request, _: Any, __: None) -> Rung:
    detail = await one_visible(request, int(request.match_info["number"]))
    return await _ring(request, detail.ticket.number, ticket=detail.ticket.number)


async def _ring(request: web.Request, number: int, **which: int) -> Rung:
    key = idempotency_key(request)
    row = await resident_calls.ring_now(request.app[DESK], viewer(request).actor, key, **which)
    if not row:  # the same key again
        known = await resident_calls.of_ticket(request.app[DESK], number)
        row = {**known[-1], "ticket": number}
    return Rung(ticket=row["ticket"], purpose=row["purpose"], state=row["state"])


async def get_reached(request: web.Request, _: Any, __: None) -> Reached:
    detail = await one_visible(request, int(request.match_info["number"]))
    desk, number = request.app[DESK], detail.ticket.number
    sent = [Sent.model_validate(row) for row in await messages.of_ticket(desk, number)]
    calls = [ResidentCall.model_validate(row) for row in await resident_calls.of_ticket(desk, number)]
    return Reached(messages=sent, resident_calls=calls)


ENDPOINTS = (
    Endpoint("GET", "/me/reach", get_choice, "How I want to be reached", "access", Choice),
    Endpoint(
        "PUT", "/me/reach", put_choice, "Choose how I want to be reached, by urgency and hour", "access", Choice,
        body=ChoiceBody, keyed=True,
    ),
    Endpoint(
        "GET", "/staff/{staff}/reach", get_choice, "How somebody else wants to be reached", "access", Choice,
        right=Right.SET_REACHING, parts=(STAFF,),
    ),
    Endpoint(
        "PUT", "/staff/{staff}/reach", put_choice, "Choose for somebody else how they are reached", "access", Choice,
        right=Right.SET_REACHING, parts=(STAFF,), body=ChoiceBody, keyed=True,
    ),
    Endpoint(
        "POST", "/callbacks/{id}/ring", ring_callback, "Ring the resident of a call-back now (R22)", "tickets", Rung,
        right=Right.CALL_BACK, parts=(ROW_ID,), keyed=True, errors=(409,),
    ),
    Endpoint(
        "POST", "/tickets/{number}/ring", ring_resident, "Ring the resident now (R22, R23)", "tickets", Rung,
        right=Right.CALL_BACK, parts=(TICKET_NUMBER,), keyed=True, errors=(409,),
    ),
    Endpoint(
        "GET", "/tickets/{number}/reached", get_reached, "Who was reached because of it, and how", "tickets", Reached,
        right=Right.SEE_TICKETS, parts=(TICKET_NUMBER,),
    ),
)  # fmt: skip
