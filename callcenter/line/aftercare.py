"""What is left to do when a caller has hung up: the recording, and the words the transcriber missed."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from callcenter.config import Settings
from callcenter.domain.records import RecordKind
from callcenter.errors import CallCenterError, SpeechError
from callcenter.line.call import utterance_json
from callcenter.line.recordings import CallNote, encode, forget, record_body, tracks_complete, update_note
from callcenter.log import get_logger
from callcenter.node.journal import Journal
from callcenter.node.outbox import Outbox
from callcenter.speech.events import Final
from callcenter.speech.files import transcribe_pcm
from callcenter.telephony.recorder import CALLER_SUFFIX
from callcenter.telephony.voice import SAMPLE_RATE_HZ
from callcenter.telephony.wav import read_track

log = get_logger("line.aftercare")


def give_back_memory() -> None:
    """Return what the last call and its encoding used to the system (glibc keeps it otherwise)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


RETRY_FIRST_S, RETRY_LAST_S = 0.5, 10.0
Gap = tuple[int, int | None]


class Aftercare:
    """Finishes calls, this process's own and those of dead ones."""

    def __init__(self, settings: Settings, journal: Journal, outbox: Outbox, transcriber: Callable[[], str]) -> None:
        self._settings, self._journal, self._outbox, self._transcriber = settings, journal, outbox, transcriber
        self._one_at_a_time = asyncio.Lock()

    async def recording(self, note: CallNote) -> bool:
        """Join the tracks and hand the recording over; False when that failed: the next start tries again."""
        if note.handed_over:
            return True
        await tracks_complete(note)
        try:
            async with self._one_at_a_time:
                finished = await asyncio.to_thread(encode, note)
                await asyncio.to_thread(give_back_memory)
            if finished.path is not None:
                self._outbox.add(note.call, finished.path)
        except (CallCenterError, OSError) as error:
            log.error("recording_unfinished", call_id=str(note.call), error=str(error))
            return False
        self._write(note, RecordKind.CALL_RECORDING, record_body(note, finished, self._settings.recording.keep_days))
        update_note(note, handed_over=True)
        return True

    async def words(self, note: CallNote, gaps: Sequence[Gap], *, had_gap: bool) -> None:
        """Decode each gap from the caller's track with the chunks a live call would have sent; forget the tracks.

        Waits for a transcriber as long as it takes: a line that stops meanwhile leaves the note for the next one.
        """
        if had_gap:
            await self._rest(note, gaps)
        forget(note)

    async def _rest(self, note: CallNote, gaps: Sequence[Gap]) -> None:
        track = note.track(CALLER_SUFFIX)
        found: list[Final] = []
        for start_ms, until_ms in gaps:
            if until_ms is None or until_ms > start_ms:
                found += await self._decode(track, start_ms, until_ms)
        from_ms = min((gap[0] for gap in gaps), default=note.text_to_ms)
        utterances = [
            {"utterance": note.utterances + n, "leg": "caller", **utterance_json(final)}
            for n, final in enumerate(found)
        ]
        self._write(note, RecordKind.CALL_TRANSCRIBED, {"from_ms": from_ms, "utterances": utterances})

    async def _decode(self, track: Path, start_ms: int, until_ms: int | None) -> tuple[Final, ...]:
        pause = RETRY_FIRST_S
        while True:
            try:
                pcm = await asyncio.to_thread(read_track, track, start_ms, until_ms)
                return await transcribe_pcm(self._transcriber(), pcm, SAMPLE_RATE_HZ, start_ms)
            except SpeechError as error:
                if not error.retryable:
                    log.error("rest_undecodable", error=error.code)
                    return ()
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_LAST_S)

    def _write(self, note: CallNote, kind: RecordKind, body: dict[str, Any]) -> None:
        try:
            self._journal.append(kind, site=note.site, call=note.call, body=body)
        except CallCenterError as error:
            log.error("record_lost", kind=kind.value, error=error.code)
