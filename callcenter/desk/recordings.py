"""The recordings' store: a folder or shared mount, by site and day. Retention and objection delete audio, not text."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from callcenter.desk.events import DeskEvent, tell, write_event
from callcenter.desk.models import NewsKind
from callcenter.errors import StoreError
from callcenter.log import get_logger
from callcenter.node.files import sync_folder
from callcenter.node.ids import minted_at
from callcenter.store.pool import statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

log = get_logger("desk.recordings")
_sql = statements("call")

BYTES_AT_MOST = 512 * 1024 * 1024
"""A FLAC of two tracks at 8 kHz for over 8 hours; more is no call."""

RETENTION_LOOK_S = 600.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
CREATED, HAD_IT = 201, 200


def path_of(desk: Desk, file: str) -> Path:
    """Where a stored file lies. Raises StoreError for a name that leads out of the store."""
    root = desk.settings.store_dir
    path = (root / file).resolve()
    if not path.is_relative_to(root):
        raise StoreError("recording.outside", "the recording's name leads out of the store")
    return path


async def take(desk: Desk, call: UUID, sha256: str, blocks: AsyncIterator[bytes]) -> int:
    """Store a recording whole or not at all: 201 when it is new, 200 when the store has it already.

    Raises StoreError `call.unknown` (ask again later), `recording.digest`, `recording.too_long`; OSError of the disk.
    """
    if not _SHA256.fullmatch(sha256):
        raise StoreError("recording.digest", "the header X-SHA256 is missing or no SHA-256")
    site = await desk.pool.fetchval("select site from call where id = $1", call)
    if site is None:
        raise StoreError("call.unknown", "this call is not known yet", retryable=True)
    known = await _sql.recording(desk.pool, call=call)
    if known is not None and known["state"] == "deleted":
        return HAD_IT  # an objection came first: what is sent again is not kept
    if known is not None and known["state"] == "stored" and known["sha256"] == sha256:
        path = path_of(desk, known["file"])
        if await asyncio.to_thread(path.exists):
            return HAD_IT
    day = minted_at(call) if call.version == 7 else datetime.fromtimestamp(0).astimezone()
    file = f"{site}/{day:%Y/%m/%d}/{call}.flac"
    path = path_of(desk, file)
    size = await _write(path, sha256, blocks)
    async with desk.pool.acquire() as connection, connection.transaction():
        await _sql.stored(connection, call=call, file=file, sha256=sha256, bytes=size)
        await tell(connection, NewsKind.CALL, site, {"call": str(call), "kind": "recording.stored"})
    return CREATED


async def _write(path: Path, sha256: str, blocks: AsyncIterator[bytes]) -> int:
    """Write, check, put on the disk, and only then give it its name; returns its bytes."""
    draft = path.with_suffix(f".{os.urandom(6).hex()}.part")
    await asyncio.to_thread(lambda: path.parent.mkdir(parents=True, exist_ok=True, mode=0o750))
    digest, size = hashlib.sha256(), 0
    try:
        handle = await asyncio.to_thread(os.open, draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        with os.fdopen(handle, "wb") as file:
            async for block in blocks:
                size += len(block)
                if size > BYTES_AT_MOST:
                    raise StoreError("recording.too_long", "the recording is larger than any call's")
                digest.update(block)
                await asyncio.to_thread(file.write, block)
            if digest.hexdigest() != sha256:
                raise StoreError("recording.digest", "the recording arrived damaged", retryable=True)
            await asyncio.to_thread(_sync, file.fileno(), file.flush)
        await asyncio.to_thread(draft.replace, path)
        await asyncio.to_thread(sync_folder, path.parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(draft.unlink)
    return size


def _sync(handle: int, flush: object) -> None:
    assert callable(flush)
    flush()
    os.fsync(handle)


async def forget(desk: Desk, call: UUID, actor: str | None, why: str, *, objected: bool, rule: str) -> None:
    """Delete a call's audio and keep its text; the event says who and why. Does nothing when it is gone already."""
    async with desk.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow("select site, file, state from recording where call = $1 for update", call)
        if row is None or row["state"] == "deleted":
            return
        await _sql.deleted(connection, call=call, why=why, objected=objected)
        if objected:
            await _sql.objected(connection, id=call)
            await write_event(
                desk, connection, DeskEvent.RECORDING_OBJECTED, site=row["site"], call=call, actor=actor, rules=(rule,),
                body={},
            )  # fmt: skip
        await write_event(
            desk, connection, DeskEvent.RECORDING_DELETED, site=row["site"], call=call, actor=actor, rules=(rule,),
            body={"why": why},
        )  # fmt: skip
        if row["file"]:
            # Before the commit: a crash between the two deletes again; the other way round would leave the audio.
            await asyncio.to_thread(path_of(desk, row["file"]).unlink, missing_ok=True)
        await tell(connection, NewsKind.CALL, row["site"], {"call": str(call), "kind": "recording.deleted"})


async def keep_retention(desk: Desk) -> None:
    """Delete recordings whose time is over (R35) or whose caller objected, for good."""
    while True:
        while True:
            async with desk.pool.acquire() as connection, connection.transaction():
                due = [(r["call"], r["objected"]) async for r in _sql.due_for_deletion(connection)]
            for call, objected in due:
                why = "objection" if objected else "retention"
                await forget(desk, call, None, why, objected=objected, rule="R10" if objected else "R35")
            if not due:
                break
        await _sql.forget_live(desk.pool)
        await asyncio.sleep(RETENTION_LOOK_S)


def delete_after(ended_at: datetime, keep_days: int) -> datetime:
    """When a recording's time is over (R35)."""
    return ended_at + timedelta(days=keep_days)
