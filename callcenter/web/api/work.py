"""/api/v1: a person's day, follow-ups, tasks, incidents, photos, what would happen, phones, and whose account it is."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from callcenter.desk import accounts, incidents, phones, todo, whatif
from callcenter.desk.models import IncidentRow
from callcenter.domain.codec import to_plain
from callcenter.errors import ConfigError, StoreError
from callcenter.web.access import Right
from callcenter.web.acting import may_task, notice_read, one_visible
from callcenter.web.api.endpoint import (
    ROW_ID,
    STAFF,
    TICKET_NUMBER,
    Answer,
    Body,
    Endpoint,
    Moment,
    Query,
    idempotency_key,
)
from callcenter.web.api.shapes import Callback, Task, Ticket
from callcenter.web.errors import WebError, unfit
from callcenter.web.forms import AT_MOST, REPORT_AT_MOST
from callcenter.web.pages.accounts import one_account
from callcenter.web.pages.photos import keep
from callcenter.web.state import DESK, site_of
from callcenter.web.viewer import viewer

PHOTO_TEXT = 48 * 1024
"""Characters of base64: the API's bodies are at most 64 KB; larger photos are sent by the page's form."""


class Notice(Answer):
    """What this person was told of another's matter, and by which rule (R9, R15, R16, R24)."""

    ticket: int
    urgency: str
    category: str
    rule: str
    at: datetime
    zh: str
    en: str


class Day(Answer):
    """Everything that waits for this account's person, each list by its clock."""

    asked: list[Ticket]
    mine: list[Ticket]
    followed: list[Ticket] = Field(description="First received by this person, in other hands now (R14).")
    follow_ups: list[Ticket]
    tasks: list[Task]
    callbacks: list[Callback]
    told: list[Notice] = Field(description="Of others' matters, and not looked at yet, newest first.")


class FollowUpQuery(Query):
    """Whose."""

    whose: Literal["mine", "all"] = "mine"


class FollowUps(Answer):
    """Matters whose caller has to be asked (R23), by their clock."""

    tickets: list[Ticket]


class TaskOutcome(Body):
    """What was done about it."""

    text: str = Field("", max_length=REPORT_AT_MOST)


class Incident(Answer):
    """Alike matters as one (R32). No buildings: the whole site."""

    id: int
    category: str
    buildings: list[str]
    opened_at: datetime
    recognised_at: datetime
    major_at: datetime | None
    closed_at: datetime | None
    matters: int
    open_matters: int
    tickets: list[int]
    phrase: str
    phrase_en: str

    @classmethod
    def of(cls, row: IncidentRow) -> Incident:
        """From the desk's row."""
        values = {name: getattr(row, name) for name in cls.model_fields if name != "tickets"}
        return cls(**{**values, "buildings": list(row.buildings), "tickets": list(row.numbers)})


class Incidents(Answer):
    """Incidents, newest first."""

    incidents: list[Incident]


class IncidentQuery(Query):
    """Which."""

    open_only: bool = True


class IncidentOutcome(Body):
    """What was done."""

    result: str = Field(min_length=1, max_length=AT_MOST["result"])


class Closed(Answer):
    """What became of its matters."""

    tickets: list[int] = Field(description="Finished by this request.")
    left: list[int] = Field(
        description="Not this account's to finish, or still to be confirmed: the incident lasts until they are done."
    )


class PhotoBody(Body):
    """A small JPEG or PNG in base64; larger ones are sent as a form to the page's address."""

    photo: str = Field(min_length=4, max_length=PHOTO_TEXT)
    note: str = Field("", max_length=AT_MOST["note"])


class Photo(Answer):
    """A photo of the work."""

    name: str
    by: str
    at: datetime
    width: int
    height: int
    bytes: int
    note: str


class Photos(Answer):
    """Photos of a matter, first to last; each lies at /tickets/{number}/photos/{name} of the pages."""

    photos: list[Photo]


class WhatIfQuery(Query):
    """A matter and a moment."""

    category: str = Field(max_length=40)
    kind: str = Field("repair", max_length=40)
    urgency: str = Field("normal", max_length=40)
    place: str = Field("", max_length=40, description="3-2-1102")
    at: Moment | None = None
    taken_by: str | None = Field(None, max_length=60)
    department: str | None = Field(None, max_length=40)
    households: int = Field(1, ge=1, le=9999)
    source: Literal["resident", "press", "authority", "mayor_hotline"] = "resident"


class WhatIf(Answer):
    """What the rule would decide."""

    decision: dict[str, Any]


class NewPhone(Answer):
    """What the phone is set up with; the password is told only now."""

    user: str
    password: str
    realm: str


class Person(Body):
    """Whose account it is (staff id); null: nobody's."""

    staff: str | None = Field(None, max_length=60)


class AccountPerson(Answer):
    """Whose account it is now."""

    id: int
    login: str
    staff: str | None


async def get_day(request: web.Request, _: Any, __: None) -> Day:
    reader = viewer(request)
    if reader.account.staff is None:
        return Day(asked=[], mine=[], followed=[], follow_ups=[], tasks=[], callbacks=[], told=[])
    day = await todo.day(request.app[DESK], site_of(request, reader.account), reader.account.staff)
    lists = {n: [Ticket.of(t, reader) for t in getattr(day, n)] for n in ("asked", "mine", "followed", "follow_ups")}
    return Day(
        **lists, tasks=[Task.of(t) for t in day.tasks], callbacks=[Callback.of(c, reader) for c in day.callbacks],
        told=[Notice.model_validate(t) for t in day.told],
    )  # fmt: skip


async def list_follow_ups(request: web.Request, query: FollowUpQuery, _: None) -> FollowUps:
    reader = viewer(request)
    everybody = query.whose == "all" and reader.may(Right.FOLLOW_UP_FOR_OTHERS)
    staff = None if everybody else reader.account.staff or "-"
    rows = await todo.follow_ups(request.app[DESK], site_of(request, reader.account), staff)
    return FollowUps(tickets=[Ticket.of(row, reader) for row in rows])


async def task_done(request: web.Request, _: Any, body: TaskOutcome) -> Task:
    task = await may_task(request, int(request.match_info["id"]))
    return Task.of(await notice_read(request, task, idempotency_key(request), body.text))


async def list_incidents(request: web.Request, query: IncidentQuery, _: None) -> Incidents:
    site = site_of(request, viewer(request).account)
    rows = await incidents.every(request.app[DESK], site, open_only=query.open_only)
    return Incidents(incidents=[Incident.of(row) for row in rows])


async def close_incident(request: web.Request, _: Any, body: IncidentOutcome) -> Closed:
    desk, site, number = request.app[DESK], site_of(request, viewer(request).account), int(request.match_info["id"])
    if all(row.id != number for row in await incidents.every(desk, site, open_only=False)):
        raise StoreError("incident.unknown", "there is no such incident")
    closing = await incidents.close(desk, number, viewer(request).actor, body.result, idempotency_key(request))
    return Closed(tickets=list(closing.finished), left=list(closing.left))


async def list_photos(request: web.Request, _: Any, __: None) -> Photos:
    detail = await one_visible(request, int(request.match_info["number"]))
    return Photos(photos=[Photo.model_validate(p) for p in detail.photos])


async def add_photo(request: web.Request, _: Any, body: PhotoBody) -> Photos:
    try:
        content = base64.b64decode(body.photo, validate=True)
    except (binascii.Error, ValueError) as error:
        raise unfit("photo", "send it as base64") from error
    await keep(request, int(request.match_info["number"]), content, idempotency_key(request), body.note)
    return await list_photos(request, _, None)


async def what_if(request: web.Request, query: WhatIfQuery, _: None) -> WhatIf:
    question = whatif.Question(**{**query.model_dump(), "at": query.at.isoformat() if query.at else None})
    try:
        made = await whatif.ask(request.app[DESK], site_of(request, viewer(request).account), question)
    except ConfigError as error:
        raise WebError(422, "web.question", details=[{"field": "query", "message": str(error)}]) from error
    return WhatIf(decision=to_plain(made))


async def give_phone(request: web.Request, _: Any, __: None) -> NewPhone:
    site = site_of(request, viewer(request).account)
    return NewPhone.model_validate(await phones.give(request.app[DESK], site, request.match_info["staff"]))


async def set_person(request: web.Request, _: Any, body: Person) -> AccountPerson:
    desk, site = request.app[DESK], site_of(request, viewer(request).account)
    known = desk.staff(site).get(body.staff) if body.staff is not None else None
    if body.staff is not None and known is None:
        raise unfit("staff", "choose one of the list")
    made = await one_account(request, int(request.match_info["id"]))
    account = await accounts.set_staff(desk, made.id, body.staff, known.department if known else None)
    return AccountPerson.model_validate(account)


ENDPOINTS = (
    Endpoint("GET", "/day", get_day, "What waits for this account's person", "work", Day, right=Right.SEE_TICKETS),
    Endpoint(
        "GET", "/follow-ups", list_follow_ups, "Follow-up calls to make (R23)", "work", FollowUps, FollowUpQuery,
        right=Right.SEE_TICKETS,
    ),
    Endpoint(
        "POST", "/tasks/{id}/done", task_done, "A notice was read and seen to (R32)", "work", Task, body=TaskOutcome,
        right=Right.SEE_TICKETS, parts=(ROW_ID,), keyed=True, errors=(409,),
    ),
    Endpoint(
        "GET", "/incidents", list_incidents, "Many alike matters as one (R32)", "work", Incidents, IncidentQuery,
        right=Right.SEE_CALLS,
    ),
    Endpoint(
        "POST", "/incidents/{id}/close", close_incident, "It is over: its matters are done and followed up", "work",
        Closed, body=IncidentOutcome, right=Right.MOVE_TICKETS, parts=(ROW_ID,), keyed=True, errors=(409,),
    ),
    Endpoint(
        "GET", "/tickets/{number}/photos", list_photos, "Photos of the work", "work", Photos, right=Right.SEE_TICKETS,
        parts=(TICKET_NUMBER,),
    ),
    Endpoint(
        "POST", "/tickets/{number}/photos", add_photo, "Add a photo of the work", "work", Photos, body=PhotoBody,
        right=Right.SEE_TICKETS, parts=(TICKET_NUMBER,), keyed=True, errors=(409,),
    ),
    Endpoint(
        "GET", "/what-if", what_if, "Who would be responsible for a matter, and why (R11–R21)", "work", WhatIf,
        WhatIfQuery, right=Right.SEE_DUTY,
    ),
    Endpoint(
        "POST", "/phones/{staff}", give_phone, "A new password for a person's phone", "people", NewPhone,
        right=Right.MANAGE_ACCOUNTS, parts=(STAFF,), status=201, errors=(409,),
    ),
    Endpoint(
        "POST", "/accounts/{id}/person", set_person, "Whose account it is", "people", AccountPerson, body=Person,
        right=Right.MANAGE_ACCOUNTS, parts=(ROW_ID,),
    ),
)  # fmt: skip
