"""People's SIP phones: only the digest secret's hash is kept, and pushed to the edges (they register without us)."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from callcenter.desk.events import tell
from callcenter.desk.models import NewsKind
from callcenter.errors import StoreError
from callcenter.store.pool import statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_sql = statements("house")
_USER = re.compile(r"[A-Za-z0-9._-]{1,32}")
LEAST_PASSWORD = 10


def ha1(user: str, realm: str, password: str) -> str:
    """HA1 of HTTP digest (RFC 2617): MD5(user:realm:password), hexadecimal."""
    return hashlib.md5(f"{user}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()


async def set_phone(desk: Desk, site: str, staff: str | None, user: str, password: str, realm: str) -> None:
    """Let a phone register as `user`; every edge knows it at once. Raises StoreError for a bad user or password."""
    if not _USER.fullmatch(user):
        raise StoreError("phone.user", f"{user!r} is no SIP user", mend="use letters, figures, dot, dash, underscore")
    if len(password) < LEAST_PASSWORD:
        raise StoreError("phone.password", "a phone's password needs at least ten characters")
    async with desk.pool.acquire() as connection, connection.transaction():
        await _sql.put_phone(connection, phone_user=user, site=site, staff=staff, ha1=ha1(user, realm, password))
        await _changed(connection, site)


@dataclass(frozen=True)
class NewPhone:
    """What a phone is set up with. The password is known at this moment only."""

    user: str
    password: str
    realm: str


async def give(desk: Desk, site: str, staff: str) -> NewPhone:
    """A new password for the phone of one of our people: their extension is its SIP user; the old one ends.

    Raises StoreError `phone.staff.unknown`, `phone.extension` for somebody without an extension.
    """
    person = desk.staff(site).get(staff)
    if person is None:
        raise StoreError("phone.staff.unknown", f"nobody here is called {staff!r}", mend="organisation.yaml has them")
    if not person.extension:
        raise StoreError(
            "phone.extension.taken", f"{staff} has no extension", mend="write one into organisation.yaml, then restart"
        )
    made = NewPhone(person.extension, secrets.token_urlsafe(12), desk.settings.edge.realm)
    await set_phone(desk, site, staff, made.user, made.password, made.realm)
    return made


async def every(desk: Desk, site: str) -> dict[str, datetime]:
    """Who has a phone with a password, and since when."""
    return {row["staff"]: row["changed_at"] async for row in _sql.phones_of_site(desk.pool, site=site)}


async def drop_phone(desk: Desk, site: str, user: str) -> None:
    """A phone may register no more."""
    async with desk.pool.acquire() as connection, connection.transaction():
        await _sql.drop_phone(connection, phone_user=user)
        await _changed(connection, site)


async def _changed(connection: object, site: str) -> None:
    await _sql.bump(connection, what="phones")
    await tell(connection, NewsKind.DUTY, site, {"kind": "phones"})
