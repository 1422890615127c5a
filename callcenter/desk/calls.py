"""Calls as pages and the API read them, and what people do with recordings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from callcenter.desk import cursors, recordings, rows, search
from callcenter.desk.models import (
    CallbackRow,
    CallDetail,
    CallFilter,
    CallRow,
    DayOfCalls,
    LiveText,
    Page,
    Recording,
    Step,
    StripCall,
)
from callcenter.errors import StoreError
from callcenter.store.pool import statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_sql = statements("read")
_calls = statements("call")
_events = statements("event")

EARLIER_SHOWN = 20
STEPS_LEFT_OUT = frozenset({"call.heard", "call.said", "call.understood"})
"""Their content is shown as turns and labels."""


async def now(desk: Desk, site: str) -> list[CallRow]:
    """Calls in progress, longest first, with the words being spoken."""
    async with desk.pool.acquire() as connection:
        found = [rows.call(row) async for row in _sql.calls_now(connection, site=site)]
        if not found:
            return []
        live: dict[UUID, list[LiveText]] = {}
        async for row in _sql.live_texts(connection, calls=[c.id for c in found]):
            live.setdefault(row["call"], []).append(LiveText(row["leg"], row["start_ms"], row["text"]))
    return [rows.with_live(call, tuple(live.get(call.id, ()))) for call in found]


async def page(desk: Desk, site: str, chosen: CallFilter, before: str | None = None, limit: int = 50) -> Page:
    """Calls, newest first. Raises StoreError `page.cursor` for a cursor that is none."""
    at, identity = cursors.read(before, UUID)
    chosen_rows = {
        "site": site, "before_at": at, "before_id": identity, "since": chosen.since, "until": chosen.until,
        "state": chosen.state, "number": chosen.number, "rows": limit + 1,
    }  # fmt: skip
    text = (chosen.text or "").strip()
    async with desk.pool.acquire() as connection:

        async def of(ids: list[str] | None) -> list[CallRow]:
            return [rows.call(row) async for row in _sql.calls_page(connection, ids=ids, **chosen_rows)]

        if not text:
            found: Sequence[CallRow] = await of(None)
        else:
            found = await search.newest(connection, site, search.query(text), ["call"], at, limit + 1, of)
    return cursors.page(found, limit, lambda c: (c.ringing_at, c.id))


async def day(desk: Desk, site: str, since: datetime, rings: int, drawn: int) -> DayOfCalls:
    """The calls since a moment: counted, and the newest `drawn` of them."""

    async def strip() -> tuple[StripCall, ...]:
        found = _sql.calls_in_strip(desk.pool, site=site, since=since, rows=drawn)
        return tuple([StripCall(**dict(row)) async for row in found])

    counted, newest = await asyncio.gather(
        _sql.calls_counted(desk.pool, site=site, since=since, rings=rings), strip()
    )
    return DayOfCalls(**dict(counted), drawn=newest)


async def one(desk: Desk, call: UUID) -> CallDetail:
    """One call with everything in it. Raises StoreError `call.unknown`."""
    async with desk.pool.acquire() as connection:
        row = await _sql.call_one(connection, id=call)
        if row is None:
            raise StoreError("call.unknown", "there is no such call")
        turns = tuple([rows.turn(r) async for r in _sql.turns(connection, call=call)])
        spoken = _sql.live_texts(connection, calls=[call])
        live = tuple([LiveText(row["leg"], row["start_ms"], row["text"]) async for row in spoken])
        events = [rows.step(r) async for r in _events.of_call(connection, call=call)]
        kept = await _calls.recording(connection, call=call)
        back = await _sql.callback_of_call(connection, call=call)
        earlier = await _earlier(connection, row)
    return CallDetail(
        call=rows.with_live(rows.call(row), live if row["ended_at"] is None else ()),
        node=row["node"], line=row["line"], dialplan=row["dialplan"], sip_call_id=row["sip_call_id"],
        invite_to_180_ms=row["invite_to_180_ms"], answer_ms=row["answer_ms"], late_ms=row["late_ms"],
        answered_by=row["answered_by"], receiver=row["receiver"], text_complete=row["text_complete"], turns=turns,
        steps=tuple(e for e in events if e.kind not in STEPS_LEFT_OUT), keys=_keys(events),
        recording=rows.recording(desk, kept) if kept else None, callback=_callback(back), earlier=earlier,
    )  # fmt: skip


def _callback(row: Any) -> CallbackRow | None:
    return rows.callback(row) if row else None


def _keys(events: list[Step]) -> tuple[tuple[str, int], ...]:
    return tuple((str(e.body.get("key", "")), int(e.body.get("at_ms") or 0)) for e in events if e.kind == "call.dtmf")


async def _earlier(connection: Any, row: Any) -> tuple[CallRow, ...]:
    if not row["from_number"]:
        return ()
    found = _sql.calls_page(
        connection, site=row["site"], ids=None, number=row["from_number"], before_at=row["ringing_at"],
        before_id=row["id"], since=None, until=None, state=None, rows=EARLIER_SHOWN,
    )  # fmt: skip
    return tuple([rows.call(r) async for r in found])


async def recording(desk: Desk, call: UUID) -> Recording | None:
    """The recording of a call; None when it has none (yet)."""
    row = await _calls.recording(desk.pool, call=call)
    return rows.recording(desk, row) if row else None


async def listened(desk: Desk, call: UUID, account: int, from_ms: int = 0) -> None:
    """Log that somebody listened (R10, R35)."""
    await _calls.listen(desk.pool, call=call, account=account, from_ms=from_ms)


async def listenings(desk: Desk, call: UUID) -> list[tuple[int, datetime, int]]:
    """Who listened to a call: (account id, when, from where in ms), first to last."""
    return [(r["account"], r["at"], r["from_ms"]) async for r in _calls.listenings(desk.pool, call=call)]


async def set_peaks(desk: Desk, call: UUID, peaks: Any) -> None:
    """Keep the player's peaks, computed once."""
    await _calls.set_peaks(desk.pool, call=call, peaks=peaks)


async def forget_audio(desk: Desk, call: UUID, actor: str, why: str) -> None:
    """A caller objects: the audio is deleted, the text stays, both are in the history."""
    await recordings.forget(desk, call, actor, why, objected=True, rule="R10")
