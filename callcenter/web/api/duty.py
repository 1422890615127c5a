"""/api/v1: who is on duty, the roster, residents, logging in, the document of the API itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from pydantic import Field

from callcenter import __version__
from callcenter.desk import accounts, duty, residents
from callcenter.web.access import MATRIX, Right
from callcenter.web.api.document import openapi
from callcenter.web.api.endpoint import Answer, Body, Endpoint, Moment, Query
from callcenter.web.api.shapes import Household
from callcenter.web.door import SLOW, check_login
from callcenter.web.errors import WebError
from callcenter.web.passwords import MIN_LENGTH, hash_password, weakness
from callcenter.web.state import DESK, SETTINGS, site_of
from callcenter.web.viewer import make_token, viewer

LONGEST_ROSTER = timedelta(days=62)


class OnDuty(Answer):
    """Who holds a role until when; `staff` null: a gap, the last resort answers (R14)."""

    role: str
    staff: str | None
    until: datetime | None


class DutyNow(Answer):
    """Who is on duty now, and the emergency contacts (R29)."""

    at: datetime
    now: list[OnDuty]
    last_resort: str
    emergency_numbers: dict[str, str]


class Shift(Answer):
    """One shift; `stand_in` works it when `staff` is away."""

    role: str
    name: str
    staff: str
    stand_in: str | None
    starts_at: datetime
    ends_at: datetime
    absent: bool


class Roster(Answer):
    """Shifts that touch the stretch asked for."""

    shifts: list[Shift]


class RosterQuery(Query):
    """From when to when, at most 62 days; without: the next seven."""

    since: Moment | None = None
    until: Moment | None = None


class ResidentQuery(Query):
    """Whom to find."""

    text: str = Field("", max_length=100, description="A place (3-2-1102), a name, or a number.")
    limit: int = Field(50, ge=1, le=200)


class Residents(Answer):
    """Households found."""

    households: list[Household]


class Login(Body):
    """Login name and password of an account."""

    login: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=1000)


class NewPassword(Login):
    """An account's own password, changed; the first one must be, before anything else."""

    new: str = Field(min_length=MIN_LENGTH, max_length=1000)


class Token(Answer):
    """A bearer token; it ends with the account's password or role, and after `expires_s` seconds."""

    token: str
    expires_s: int


class Me(Answer):
    """The account behind the request."""

    id: int
    login: str
    name: str
    role: str
    rights: list[str]
    site: str
    staff: str | None


class Document(Answer):
    """The OpenAPI document."""


async def duty_now(request: web.Request, _: Any, __: None) -> DutyNow:
    return DutyNow.model_validate(await duty.now(request.app[DESK], site_of(request, viewer(request).account)))


async def get_roster(request: web.Request, query: RosterQuery, _: None) -> Roster:
    starts = query.since or datetime.now(UTC)
    try:
        ends = query.until or starts + timedelta(days=7)
        length = ends - starts
    except OverflowError:
        length = LONGEST_ROSTER * 2
    if not timedelta(0) < length <= LONGEST_ROSTER:
        raise WebError(
            422, "web.roster_span", details=[{"field": "until", "message": "1 second to 62 days after since"}]
        )
    rows = await duty.roster(request.app[DESK], site_of(request, viewer(request).account), starts, ends)
    return Roster(shifts=[Shift.model_validate(row) for row in rows])


async def list_residents(request: web.Request, query: ResidentQuery, _: None) -> Residents:
    reader = viewer(request)
    rows = await residents.households(
        request.app[DESK], site_of(request, reader.account), text=query.text, limit=query.limit
    )
    return Residents(households=[Household.of(row, reader) for row in rows])


async def log_in_for_token(request: web.Request, _: Any, body: Login) -> Token:
    account, why = await check_login(request, body.login, body.password)
    if account is None:
        raise WebError(429 if why == SLOW else 401, "web.login", why)
    return Token(token=make_token(request, account), expires_s=request.app[SETTINGS].desk.session_hours * 3600)


async def set_own_password(request: web.Request, _: Any, body: NewPassword) -> Token:
    account, why = await check_login(request, body.login, body.password)
    if account is None:
        raise WebError(429 if why == SLOW else 401, "web.login", why)
    if body.new == body.password:
        raise WebError(422, "web.password", "The new password is the old one.")
    if weak := weakness(body.new, account.login):
        raise WebError(422, "web.password", weak)
    hashed = await hash_password(body.new)
    stored = await accounts.set_password(request.app[DESK], account.id, hashed, must_change=False)
    return Token(token=make_token(request, stored), expires_s=request.app[SETTINGS].desk.session_hours * 3600)


async def who_am_i(request: web.Request, _: Any, __: None) -> Me:
    reader = viewer(request)
    account = reader.account
    return Me(
        id=account.id, login=account.login, name=reader.name, role=account.role, site=site_of(request, account),
        staff=account.staff, rights=sorted(MATRIX[reader.role]),
    )  # fmt: skip


async def get_document(request: web.Request, _: Any, __: None) -> web.Response:
    from callcenter.web.api.routes import ENDPOINTS as EVERY

    return web.json_response(openapi(EVERY, __version__, server=str(request.url.origin())))


ENDPOINTS = (
    Endpoint("GET", "/duty", duty_now, "Who is on duty now", "duty", DutyNow, right=Right.SEE_DUTY),
    Endpoint("GET", "/roster", get_roster, "The roster", "duty", Roster, RosterQuery, right=Right.SEE_DUTY),
    Endpoint(
        "GET", "/residents", list_residents, "Households", "people", Residents, ResidentQuery,
        right=Right.SEE_RESIDENTS,
    ),
    Endpoint(
        "POST", "/tokens", log_in_for_token, "Log in for a bearer token", "access", Token, body=Login, public=True,
        status=201, errors=(401, 429),
    ),
    Endpoint(
        "POST", "/passwords", set_own_password, "Change one's own password", "access", Token, body=NewPassword,
        public=True, status=201, errors=(401, 429),
    ),
    Endpoint("GET", "/me", who_am_i, "Who am I", "access", Me),
    Endpoint("GET", "/openapi.json", get_document, "This document", "access", public=True, media=("application/json",)),
)  # fmt: skip
