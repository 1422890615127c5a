"""Logins as the store holds them. Hashing passwords and checking them is the web's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callcenter.desk.models import Account
from callcenter.errors import StoreError
from callcenter.store.pool import statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_sql = statements("account")
_FIELDS = tuple(Account.__dataclass_fields__)


def _account(row: Any) -> Account:
    return Account(**{name: row[name] for name in _FIELDS})


def _known(row: Any) -> Account:
    if row is None:
        raise StoreError("account.unknown", "there is no such account")
    return _account(row)


async def by_login(desk: Desk, login: str) -> Account | None:
    """The account of that login; None when there is none."""
    row = await _sql.by_login(desk.pool, login=login)
    return _account(row) if row else None


async def by_id(desk: Desk, id: int) -> Account | None:  # noqa: A002 - the column's name
    """The account of that id; None when there is none."""
    row = await _sql.by_id(desk.pool, id=id)
    return _account(row) if row else None


async def every(desk: Desk) -> list[Account]:
    """All accounts, by login."""
    return [_account(row) async for row in _sql.every(desk.pool)]


async def count(desk: Desk) -> int:
    """How many accounts there are."""
    return int(await _sql.count(desk.pool))


async def create(
    desk: Desk,
    *,
    login: str,
    name: str,
    role: str,
    argon2: str,
    site: str | None = None,
    staff: str | None = None,
    department: str | None = None,
    language: str = "zh-CN",
    must_change: bool = True,
) -> Account:
    """A new account. Raises StoreError `account.taken` when the login is in use."""
    row = await _sql.create(
        desk.pool, login=login, name=name, site=site, staff=staff, department=department, role=role, argon2=argon2,
        language=language, must_change=must_change,
    )  # fmt: skip
    if row is None:
        raise StoreError("account.taken", "this login is in use", mend="choose another")
    return _account(row)


async def set_password(desk: Desk, id: int, argon2: str, must_change: bool = False) -> Account:  # noqa: A002
    """Store another hash. Raises StoreError `account.unknown`."""
    return _known(await _sql.set_password(desk.pool, id=id, argon2=argon2, must_change=must_change))


async def set_role(desk: Desk, id: int, role: str, active: bool) -> Account:  # noqa: A002
    """Change role or close the account. Raises StoreError `account.unknown`."""
    return _known(await _sql.set_role(desk.pool, id=id, role=role, active=active))


async def set_staff(desk: Desk, id: int, staff: str | None, department: str | None = None) -> Account:  # noqa: A002
    """Whose account it is: what it does is done by that person. Raises StoreError `account.unknown`."""
    return _known(await _sql.set_staff(desk.pool, id=id, staff=staff, department=department))


async def set_language(desk: Desk, id: int, language: str) -> None:  # noqa: A002
    """Remember the language of the pages."""
    await _sql.set_language(desk.pool, id=id, language=language)


async def seen(desk: Desk, id: int) -> None:  # noqa: A002
    """Note that the account logged in."""
    await _sql.seen(desk.pool, id=id)
