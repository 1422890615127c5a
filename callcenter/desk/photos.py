"""Photos of the work, by the one who did it: beside the recordings in the store, each an event of its matter."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING

from callcenter.desk import matters, pictures
from callcenter.desk.acts import once
from callcenter.desk.events import DeskEvent, write_event
from callcenter.desk.recordings import path_of
from callcenter.domain.handover import concerned
from callcenter.errors import AccessError, DomainError, StoreError
from callcenter.node.files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from callcenter.desk.house import Desk

BYTES_AT_MOST = 8 * 1024 * 1024
"""A photo of a phone's camera; the page sends smaller ones."""
PER_MATTER = 24
NAME = re.compile(r"[0-9a-f]{64}\.(?:jpeg|png)")


async def add(desk: Desk, number: int, actor: str, content: bytes, key: str, note: str = "") -> None:
    """Keep a photo with a matter; the same one with the same key once. Another with that key is another: whoever hears
    nothing of the first, because the line was bad, sends the next from the same page.

    Raises DomainError `photo.too_large`, `photo.unreadable`, `photo.too_many`; AccessError `r14.not_concerned`.
    """
    if len(content) > BYTES_AT_MOST:
        raise DomainError("photo.too_large", "the photo is too large", mend="send one of at most 8 MB")
    picture = await asyncio.to_thread(pictures.read, content)
    name = f"{hashlib.sha256(picture.content).hexdigest()}.{picture.kind}"
    async with desk.pool.acquire() as connection, connection.transaction():
        if not await once(connection, f"photo:{number}:{key}:{name}", actor):
            return
        state = await matters.load(connection, number)
        around = await matters.situation(desk, connection, state.site)
        if not (around.organisation.knows(actor) and concerned(around, state, actor)):
            raise AccessError("r14.not_concerned", "the matter is not this person's")
        ticket = matters.number_of(state.ticket)
        taken = await connection.fetchval(
            "select count(*) from event where ticket = $1 and kind = $2", ticket, DeskEvent.PHOTO_TAKEN.value
        )
        if taken >= PER_MATTER:
            raise DomainError("photo.too_many", "this matter has photos enough")
        await asyncio.to_thread(_write, _path(desk, state.site, ticket, name), picture.content)
        await write_event(
            desk, connection, DeskEvent.PHOTO_TAKEN, site=state.site, ticket=ticket, actor=actor, rules=("R9",),
            body={
                "name": name, "width": picture.width, "height": picture.height, "bytes": len(picture.content),
                "note": note,
            },
        )  # fmt: skip


def file_of(desk: Desk, site: str, number: int, name: str) -> Path:
    """Where a photo lies. Raises StoreError `photo.unknown`."""
    path = _path(desk, site, number, name) if NAME.fullmatch(name) else None
    if path is None or not path.is_file():
        raise StoreError("photo.unknown", "there is no such photo")
    return path


def _path(desk: Desk, site: str, number: int, name: str) -> Path:
    return path_of(desk, f"{site}/photos/{number}/{name}")


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all; the same picture twice is one file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    replace_file(path, content, sync=True, mode=0o640)
