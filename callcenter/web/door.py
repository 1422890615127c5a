"""The door: log in, log out, a password of one's own, one's language and appearance."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

from aiohttp import web
from aiohttp_session import get_session

from callcenter.desk import accounts
from callcenter.desk.models import Account
from callcenter.log import get_logger
from callcenter.web.forms import sized
from callcenter.web.i18n import COOKIE, html_tag, known, locale_of, translate
from callcenter.web.login_limit import LoginLimit
from callcenter.web.page import Frame, render
from callcenter.web.passwords import MIN_LENGTH, hash_password, verify_password, weakness
from callcenter.web.state import DESK, names_of
from callcenter.web.viewer import find_viewer, guarded, log_in, log_out, viewer

log = get_logger("web.door")
LIMIT = web.AppKey("login_limit", LoginLimit)
COOKIE_S = 365 * 86400
THEMES, SOUNDS = ("dark", "light"), ("on", "soft", "off")
WRONG = "This name and password do not go together."
SLOW = "Too many attempts. Please wait five minutes."


def safe_next(where: str) -> str:
    """An address within these pages, whatever was asked for."""
    fine = where.startswith("/") and not where.startswith(("//", "/\\")) and "\\" not in where and "\n" not in where
    return where if fine and not where.startswith(("/login", "/logout")) else "/"


async def _login_page(request: web.Request, status: int = 200, message: str = "", login: str = "") -> web.Response:
    session = await get_session(request)
    if "door" not in session:
        session["door"] = secrets.token_urlsafe(16)
    where = str((await request.post()).get("next", "")) if request.method == "POST" else request.query.get("next", "")
    answer = await render(
        request, "login.html", status, frame=Frame(), login_csrf=session["door"], login=login, next=safe_next(where),
        message=translate(locale_of(request), message) if message else "",
        site_name=names_of(request).site_name,
    )  # fmt: skip
    if known(request.query.get("lang")):
        answer.set_cookie(COOKIE, html_tag(locale_of(request)), max_age=COOKIE_S, samesite="Lax", secure=request.secure)
    return answer


async def check_login(request: web.Request, login: str, password: str) -> tuple[Account | None, str]:
    """The account that fits, or why not; every failure costs the same time and counts against the limit."""
    limit, address = request.app[LIMIT], request.remote or "?"
    account = await accounts.by_login(request.app[DESK], login) if login else None  # with it away, nothing is counted
    if not limit.attempt(login, address):
        return None, SLOW
    fits = await verify_password(account.argon2 if account and account.active else None, password)
    if not fits or account is None:
        log.info("web.login_failed", address=address)
        return None, WRONG
    limit.succeeded(login, address)
    await accounts.seen(request.app[DESK], account.id)
    log.info("web.login", account=account.id, role_of_account=account.role)
    return account, ""


async def login_page(request: web.Request) -> web.StreamResponse:
    """GET /login"""
    if await find_viewer(request):
        raise web.HTTPSeeOther(safe_next(request.query.get("next", "/")))
    return await _login_page(request)


async def login(request: web.Request) -> web.StreamResponse:
    """POST /login"""
    sized(request)
    form = await request.post()
    name, expected = str(form.get("login", "")).strip()[:100], (await get_session(request)).get("door", "")
    if not expected or not hmac.compare_digest(str(form.get("csrf", "")).encode(), str(expected).encode()):
        return await _login_page(request, 403, "This form is too old. Please try once more.", name)
    account, why = await check_login(request, name, str(form.get("password", ""))[:1000])
    if account is None:
        return await _login_page(request, 429 if why == SLOW else 401, why, name)
    await log_in(request, account)
    answer = web.HTTPSeeOther("/password" if account.must_change else safe_next(str(form.get("next", "/"))))
    if COOKIE not in request.cookies and (locale := known(account.language)) and not request.query.get("lang"):
        answer.set_cookie(COOKIE, html_tag(locale), max_age=COOKIE_S, samesite="Lax", secure=request.secure)
    raise answer


async def logout(request: web.Request) -> web.StreamResponse:
    """POST /logout"""
    await log_out(request)
    raise web.HTTPSeeOther("/login")


async def password_page(request: web.Request) -> web.StreamResponse:
    """GET /password"""
    return await render(request, "password.html", frame=Frame(), message="", min_length=MIN_LENGTH)


async def password(request: web.Request) -> web.StreamResponse:
    """POST /password"""
    form: Any = await request.post()
    old, new = str(form.get("old", ""))[:1000], str(form.get("new", ""))[:1000]
    account, locale = viewer(request).account, locale_of(request)
    limit, address = request.app[LIMIT], request.remote or "?"
    message = ""
    if not limit.attempt(account.login, address):
        message = SLOW
    elif not await verify_password(account.argon2, old):
        message = "The present password is another one."
    else:
        limit.succeeded(account.login, address)
        if why := weakness(new, account.login):
            message = why
        elif new != form.get("again"):
            message = "The two new passwords differ."
        elif new == old:
            message = "The new password is the old one."
    if message:
        return await render(
            request, "password.html", 422, frame=Frame(), message=translate(locale, message), min_length=MIN_LENGTH
        )
    stored = await accounts.set_password(request.app[DESK], account.id, await hash_password(new), must_change=False)
    await log_in(request, stored)
    log.info("web.password_changed", account=account.id)
    raise web.HTTPSeeOther("/")


async def preferences(request: web.Request) -> web.StreamResponse:
    """POST /preferences: language, appearance and sound, kept in cookies; the language with the account too."""
    form = await request.post()
    answer = web.HTTPSeeOther(safe_next(str(form.get("next", "/"))))
    if locale := known(str(form.get("language", ""))):
        answer.set_cookie(COOKIE, html_tag(locale), max_age=COOKIE_S, samesite="Lax", secure=request.secure)
        await accounts.set_language(request.app[DESK], viewer(request).account.id, html_tag(locale))
    theme, sound = str(form.get("theme", "")), str(form.get("sound", "on"))
    if theme in THEMES:
        answer.set_cookie("theme", theme, max_age=COOKIE_S, samesite="Lax", secure=request.secure)
    elif "theme" in form:
        answer.del_cookie("theme")
    if sound in SOUNDS:
        answer.set_cookie("sound", sound, max_age=COOKIE_S, samesite="Lax", secure=request.secure)
    raise answer


def routes() -> list[web.RouteDef]:
    """The door's routes."""
    return [
        web.get("/login", login_page),
        web.post("/login", login),
        web.post("/logout", guarded(logout, None)),
        web.get("/password", guarded(password_page, None)),
        web.post("/password", guarded(password, None)),
        web.post("/preferences", guarded(preferences, None)),
    ]
