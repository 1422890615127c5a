"""/api/v1/calls: calls, their words, their recordings. Every listening is written down."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path as File
from typing import Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field

from callcenter.desk import calls
from callcenter.desk.models import CallFilter, Recording
from callcenter.errors import StoreError
from callcenter.web.access import Right
from callcenter.web.acting import one_call
from callcenter.web.api.endpoint import CALL_ID, Answer, Endpoint, Moment, Query
from callcenter.web.api.shapes import Call, Calls, WholeCall
from callcenter.web.errors import WebError
from callcenter.web.listening import HEARD
from callcenter.web.peaks import compute_peaks
from callcenter.web.state import DESK, site_of
from callcenter.web.viewer import viewer


class CallQuery(Query):
    """Which calls."""

    text: str | None = Field(None, max_length=200, description="Words that were said; homophones are found too.")
    state: Literal["live", "answered", "unanswered", "unserved"] | None = None
    since: Moment | None = None
    until: Moment | None = None
    before: str | None = Field(None, max_length=200, description="`next` of the page before.")
    limit: int = Field(50, ge=1, le=200)


class Listening(Answer):
    """Who listened, when, from where on."""

    account: int
    at: datetime
    from_ms: int


class Listenings(Answer):
    """Every listening to one recording, newest first."""

    listenings: list[Listening]


class Peaks(Answer):
    """The waveform: per channel the largest amplitude of each stretch, 0..1."""

    duration_ms: int
    channels: list[str]
    peaks: list[list[float]]


class LiveCalls(Answer):
    """Calls in progress."""

    calls: list[Call]


def _call(request: web.Request) -> UUID:
    return UUID(request.match_info["call"])


async def list_calls(request: web.Request, query: CallQuery, _: None) -> Calls:
    reader = viewer(request)
    wanted = CallFilter(state=query.state, text=query.text, since=query.since, until=query.until)
    page = await calls.page(
        request.app[DESK], site_of(request, reader.account), wanted, before=query.before, limit=query.limit
    )
    return Calls(calls=[Call.of(row, reader) for row in page.rows], next=page.next)


async def list_live_calls(request: web.Request, _: Any, __: None) -> LiveCalls:
    reader = viewer(request)
    rows = await calls.now(request.app[DESK], site_of(request, reader.account))
    return LiveCalls(calls=[Call.of(row, reader) for row in rows])


async def get_call(request: web.Request, _: Any, __: None) -> WholeCall:
    return WholeCall.whole(await one_call(request, _call(request)), viewer(request))


async def _stored(request: web.Request) -> tuple[Recording, File]:
    await one_call(request, _call(request))
    recording = await calls.recording(request.app[DESK], _call(request))
    if recording is None:
        raise WebError(404, "recording.none", "This call has no recording.")
    if recording.state == "deleted":
        raise WebError(410, "recording.deleted", "The recording was deleted; the text is kept.")
    if recording.state != "stored" or recording.path is None:
        raise WebError(409, "recording.announced", "The recording is on its way from the line.")
    path = File(recording.path)
    if not await asyncio.to_thread(path.is_file):
        raise StoreError(
            "recording.away", "the recording's file is not in the store", where=path.name,
            mend="check that recording.store_dir is mounted",
        )  # fmt: skip
    return recording, path


def _range_start(request: web.Request) -> int | None:
    try:
        start: int | None = request.http_range.start
        return start
    except ValueError:
        return None


async def get_recording(request: web.Request, _: Any, __: None) -> web.StreamResponse:
    recording, path = await _stored(request)
    start = _range_start(request) or 0
    if request.app[HEARD].begins(viewer(request).account.id, recording.call, start):
        share = max(0, start) / recording.bytes if recording.bytes else 0.0
        await calls.listened(
            request.app[DESK], recording.call, viewer(request).account.id, int(share * (recording.duration_ms or 0))
        )
    return web.FileResponse(
        path,
        headers={"Content-Type": "audio/flac", "Cache-Control": "private, no-store", "Content-Disposition": "inline"},
    )


async def get_peaks(request: web.Request, _: Any, __: None) -> Peaks:
    recording, path = await _stored(request)
    peaks = recording.peaks
    if not peaks:
        peaks = await asyncio.to_thread(compute_peaks, path)
        await calls.set_peaks(request.app[DESK], recording.call, peaks)
    return Peaks(duration_ms=recording.duration_ms or 0, channels=list(recording.channels), peaks=peaks)


async def get_listenings(request: web.Request, _: Any, __: None) -> Listenings:
    await one_call(request, _call(request))
    rows = await calls.listenings(request.app[DESK], _call(request))
    return Listenings(listenings=[Listening(account=a, at=at, from_ms=ms) for a, at, ms in rows])


ENDPOINTS = (
    Endpoint("GET", "/calls", list_calls, "Calls, newest first", "calls", Calls, CallQuery, right=Right.SEE_CALLS),
    Endpoint("GET", "/calls/live", list_live_calls, "Calls in progress", "calls", LiveCalls, right=Right.SEE_CALLS),
    Endpoint(
        "GET", "/calls/{call}", get_call, "One call with everything said in it", "calls", WholeCall,
        right=Right.SEE_CALLS, parts=(CALL_ID,),
    ),
    Endpoint(
        "GET", "/calls/{call}/recording", get_recording, "The recording (FLAC): caller left, our side right",
        "calls", right=Right.LISTEN, parts=(CALL_ID,), media=("audio/flac",), errors=(409, 410, 416),
        also={206: "The range that was asked for."},
    ),
    Endpoint(
        "GET", "/calls/{call}/peaks", get_peaks, "The waveform of the recording", "calls", Peaks, right=Right.LISTEN,
        parts=(CALL_ID,), errors=(409, 410),
    ),
    Endpoint(
        "GET", "/calls/{call}/listenings", get_listenings, "Who listened", "calls", Listenings,
        right=Right.SEE_LISTENING, parts=(CALL_ID,),
    ),
)  # fmt: skip
