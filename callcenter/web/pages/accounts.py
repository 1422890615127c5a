"""Accounts: who may log in, as what. A new or reset password is shown once, and must be changed at first login."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from callcenter.desk import accounts, phones
from callcenter.desk.models import Account
from callcenter.errors import StoreError
from callcenter.log import get_logger
from callcenter.web.access import MATRIX, Right, Role
from callcenter.web.errors import unfit
from callcenter.web.page import render
from callcenter.web.passwords import hash_password, random_password
from callcenter.web.state import DESK, site_of
from callcenter.web.viewer import Viewer, guarded, viewer

log = get_logger("web.accounts")
LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


def of_own_site(reader: Viewer, account: Account) -> bool:
    """Whether the account is of the site that the reader's own is of, where it is of one."""
    return reader.account.site in (None, account.site)


async def one_account(request: web.Request, number: int) -> Account:
    """An account that the reader manages. Raises StoreError `account.unknown`."""
    account = await accounts.by_id(request.app[DESK], number)
    if account is None or not of_own_site(viewer(request), account):
        raise StoreError("account.unknown", "there is no such account")
    return account


async def _page(request: web.Request, status: int = 200, **values: Any) -> web.Response:
    desk, reader = request.app[DESK], viewer(request)
    site = site_of(request, reader.account)
    return await render(
        request,
        "accounts.html",
        status,
        section="accounts",
        accounts=[one for one in await accounts.every(desk) if of_own_site(reader, one)],
        roles=list(Role),
        matrix=MATRIX,
        rights=list(Right),
        staff=desk.staff(site),
        departments=desk.sites[site].organisation.departments,
        phones=await phones.every(desk, site),
        **({"made": None, "phone": None, "message": "", "form": {}} | values),
    )


async def accounts_page(request: web.Request) -> web.StreamResponse:
    """GET /accounts"""
    return await _page(request)


async def make(request: web.Request) -> web.StreamResponse:
    """POST /accounts: a new account with a random password, shown once."""
    desk, reader = request.app[DESK], viewer(request)
    site = site_of(request, reader.account)
    form = {name: str(value).strip() for name, value in (await request.post()).items()}
    login, name, role = form.get("login", "").lower(), form.get("name", ""), form.get("role", "")
    staff = form.get("staff") or None
    if staff is not None and staff not in desk.staff(site):
        raise unfit("staff", "choose one of the list")
    if not LOGIN.fullmatch(login) or role not in set(Role) or not (name or staff):
        message = "A login has 2 to 40 small letters, digits, dots or dashes; a name and a role are needed."
        return await _page(request, 422, message=message, form=form)
    if await accounts.by_login(desk, login):
        return await _page(request, 409, message="This login is in use.", form=form)
    password = random_password()
    known = desk.staff(site).get(staff) if staff else None
    department = form.get("department") or (known.department if known else None) or None
    made = await accounts.create(
        desk,
        login=login,
        name=name or (known.name if known else login),
        role=role,
        argon2=await hash_password(password),
        site=site if reader.account.site else None,
        staff=staff,
        department=department,
    )
    log.info("web.account_made", account=made.id, role_of_account=role, by=reader.account.id)
    return await _page(request, 201, made={"login": login, "password": password})


async def change(request: web.Request) -> web.StreamResponse:
    """POST /accounts/{id}: another role, closed or opened, or a new password."""
    desk, reader = request.app[DESK], viewer(request)
    number = int(request.match_info["id"])
    form = {name: str(value).strip() for name, value in (await request.post()).items()}
    account = await one_account(request, number)
    if form.get("reset"):
        password = random_password()
        await accounts.set_password(desk, number, await hash_password(password), must_change=True)
        log.info("web.password_reset", account=number, by=reader.account.id)
        return await _page(request, made={"login": account.login, "password": password})
    if "staff" in form and form["staff"] != (account.staff or ""):
        known = desk.staff(site_of(request, reader.account)).get(form["staff"]) if form["staff"] else None
        if form["staff"] and known is None:
            raise unfit("staff", "choose one of the list")
        await accounts.set_staff(desk, number, form["staff"] or None, known.department if known else None)
        log.info("web.account_person", account=number, by=reader.account.id)
    role, active = form.get("role", account.role), form.get("active", "") == "1"
    if role not in set(Role):
        raise unfit("role", "choose one of the list")
    if number == reader.account.id and (role != account.role or not active):
        return await _page(request, 409, message="You cannot take your own rights away; another administrator can.")
    await accounts.set_role(desk, number, role, active)
    log.info("web.account_changed", account=number, role_of_account=role, active=active, by=reader.account.id)
    raise web.HTTPSeeOther("/accounts")


async def give_phone(request: web.Request) -> web.StreamResponse:
    """POST /accounts/phones/{staff}: a new password for the phone of one of our people, shown once."""
    desk, reader = request.app[DESK], viewer(request)
    try:
        phone = await phones.give(desk, site_of(request, reader.account), request.match_info["staff"])
    except StoreError as error:
        if error.code != "phone.extension.taken":
            raise
        return await _page(request, 409, message="This person has no extension; organisation.yaml gives them one.")
    log.info("web.phone_set", by=reader.account.id)
    return await _page(request, 201, phone=phone, phone_of=request.match_info["staff"])


def routes() -> list[web.RouteDef]:
    """The section's routes."""
    return [
        web.get("/accounts", guarded(accounts_page, Right.MANAGE_ACCOUNTS)),
        web.post("/accounts", guarded(make, Right.MANAGE_ACCOUNTS)),
        web.post(r"/accounts/phones/{staff:[a-z0-9_]{1,60}}", guarded(give_phone, Right.MANAGE_ACCOUNTS)),
        web.post(r"/accounts/{id:\d{1,15}}", guarded(change, Right.MANAGE_ACCOUNTS)),
    ]
