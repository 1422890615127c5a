"""Who is asking: the account behind a request, what it may see and do, and the session that says so."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp_session import Session, get_session, new_session
from cryptography.fernet import Fernet, InvalidToken

from callcenter.desk import accounts
from callcenter.desk.models import Account
from callcenter.errors import AccessError
from callcenter.web.access import Right, Role, allowed, shown_number
from callcenter.web.errors import STATUS_TEXTS, WebError
from callcenter.web.forms import MAX_FORM, sized
from callcenter.web.state import DESK

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def stamp_of(account: Account) -> str:
    """Changes with the password and the role, so that old sessions and tokens end with them."""
    return hashlib.sha256(f"{account.argon2}:{account.role}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Viewer:
    """The account behind a request, and the token its forms must carry ("" with a bearer token)."""

    account: Account
    csrf: str
    by_token: bool = False

    @property
    def name(self) -> str:
        """What people call them."""
        return self.account.name or self.account.login

    @property
    def role(self) -> Role:
        """What the matrix knows them as."""
        return Role(self.account.role)

    @property
    def actor(self) -> str:
        """Who they are in the history: their staff id, else their account."""
        return self.account.staff or f"account:{self.account.id}"

    def may(self, right: Right | str) -> bool:
        """Whether the matrix gives this right."""
        return allowed(self.role, Right(right))

    def number(self, number: str | None) -> str | None:
        """A phone number as this viewer may see it."""
        return shown_number(self.role, number)


VIEWER_KEY: web.RequestKey[Viewer | None] = web.RequestKey("viewer", object)  # type: ignore[arg-type]
TOKENS = web.AppKey("token_key", Fernet)
SESSION_S = web.AppKey("session_s", int)


async def log_in(request: web.Request, account: Account) -> None:
    """Begin a fresh session (no id survives the login) for `account`."""
    session = await new_session(request)
    session["account"] = account.id
    session["stamp"] = stamp_of(account)
    session["csrf"] = secrets.token_urlsafe(24)
    session["since"] = int(time.time())


async def log_out(request: web.Request) -> None:
    """End the session."""
    (await get_session(request)).invalidate()


def make_token(request: web.Request, account: Account) -> str:
    """A bearer token of the API for `account`, valid as long as a login."""
    body = json.dumps({"account": account.id, "stamp": stamp_of(account), "for": "api"})
    return request.app[TOKENS].encrypt(body.encode()).decode()


async def _account(request: web.Request, number: Any, stamp: Any) -> Account | None:
    if not isinstance(number, int) or not isinstance(stamp, str):
        return None
    account = await accounts.by_id(request.app[DESK], number)
    if account is None or not account.active or not hmac.compare_digest(stamp_of(account), stamp):
        return None
    return account


async def _from_token(request: web.Request, token: str) -> Viewer | None:
    try:
        body = json.loads(request.app[TOKENS].decrypt(token.encode(), ttl=request.app[SESSION_S]))
    except (InvalidToken, ValueError):
        return None
    if not isinstance(body, dict) or body.get("for") != "api":
        return None
    account = await _account(request, body.get("account"), body.get("stamp"))
    return Viewer(account, csrf="", by_token=True) if account else None


async def _from_session(request: web.Request, session: Session) -> Viewer | None:
    if session.empty or time.time() - session.get("since", 0) > request.app[SESSION_S]:
        return None
    account = await _account(request, session.get("account"), session.get("stamp"))
    return Viewer(account, csrf=str(session.get("csrf", ""))) if account else None


async def still_valid(request: web.Request, reader: Viewer) -> bool:
    """Whether the account is still open and has kept its password and role: for answers that last."""
    return await _account(request, reader.account.id, stamp_of(reader.account)) is not None


async def find_viewer(request: web.Request) -> Viewer | None:
    """The viewer of a request, None when nobody is logged in. Asked once per request."""
    if VIEWER_KEY not in request:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            request[VIEWER_KEY] = await _from_token(request, token.strip())
        else:
            request[VIEWER_KEY] = await _from_session(request, await get_session(request))
    return request[VIEWER_KEY]


def viewer(request: web.Request) -> Viewer:
    """The viewer of a guarded request."""
    found: Viewer | None = request.get(VIEWER_KEY)
    if found is None:
        raise WebError(401, "web.login_needed")
    return found


async def check_csrf(request: web.Request, expected: str) -> None:
    """Refuse a changing request that did not come from one of our pages."""
    given = request.headers.get("X-CSRF-Token", "")
    if not given and request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        given = str((await request.post()).get("csrf", ""))
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise WebError(403, "web.csrf", "This form is too old. Load the page again; what was typed is kept.")


def guarded(handler: Handler, right: Right | None, most: int = MAX_FORM) -> Handler:
    """`handler` for logged-in accounts that have `right` (None: any account), with a form of at most `most` bytes."""

    async def guard(request: web.Request) -> web.StreamResponse:
        found = await find_viewer(request)
        if found is None:
            if request.path.startswith(("/api/", "/live")) or request.method not in SAFE_METHODS:
                raise WebError(401, "web.login_needed")
            if request.headers.get("HX-Request"):
                return web.Response(status=204, headers={"HX-Redirect": "/login"})
            where = request.rel_url
            raise web.HTTPSeeOther(f"/login?next={where}" if where.path != "/" else "/login")
        if request.method not in SAFE_METHODS and not request.path.startswith("/api/"):
            sized(request, most)
        if request.method not in SAFE_METHODS and not found.by_token:
            await check_csrf(request, found.csrf)
        if found.account.must_change and request.path not in ("/password", "/logout", "/preferences"):
            if request.path.startswith("/api/"):
                raise WebError(403, "web.must_change", "Set a password of your own first, on the page.")
            raise web.HTTPSeeOther("/password")
        if right is not None and not found.may(right):
            raise AccessError("web.right_missing", STATUS_TEXTS[403])
        return await handler(request)

    guard.__name__ = getattr(handler, "__name__", "handler")
    guard.__doc__ = handler.__doc__
    return guard
