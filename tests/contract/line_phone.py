"""The line's own telephone over a leg in memory: everything of the line but SIP and the model.

Voice, hearing, turns, sounds and tickets are the real ones and run in real time; a scripted caller speaks into the
leg with a tone, and a scripted transcriber has its words. Real SIP is left to tests/calls and tests/integration/line,
which run the same telephone in a line process: pjsua2 does not belong into a test's own process, where it cannot be
taken down, and over SIP a recogniser would have to find every word just so.
"""

from __future__ import annotations

import asyncio
import io
import math
import wave
from array import array
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fake_phone import HangsUp, Keys, Says, Silent, Turn
from fake_understanding import fake_understand

from callcenter.config import load_settings
from callcenter.dialplan.phone import OpenedTicket, TransferEnd
from callcenter.domain.labels import Understanding
from callcenter.domain.matters import OpenMatter
from callcenter.domain.places import Place
from callcenter.domain.records import RecordKind
from callcenter.domain.snapshot import SiteSnapshot
from callcenter.line.ear import Ear
from callcenter.line.phone import CallPhone, PhoneWires
from callcenter.line.sounds import Sounds
from callcenter.line.tickets import TicketDesk
from callcenter.site.load import load_sites
from callcenter.speech.events import Event, Final
from callcenter.telephony.events import Key
from callcenter.telephony.voice import FRAME_MS, SAMPLE_RATE_HZ, SILENCE, Voice, to_frames

NUMBER = "+8613900001111"
AT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
SPEECH_MS = 600
AFTER_FRAMES = 5
"""The caller waits so long after our side began (to interrupt it) or has said its last word."""


def tone(ms: int) -> bytes:
    """Something loud enough to be speech."""
    step = 2 * math.pi * 300 / SAMPLE_RATE_HZ
    return array("h", (round(8000 * math.sin(step * n)) for n in range(SAMPLE_RATE_HZ * ms // 1000))).tobytes()


async def say(text: str, language: str) -> bytes:
    """A prompt of 600 ms as a WAV."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes(tone(SPEECH_MS))
    return out.getvalue()


class ScriptedWords:
    """A transcriber's stream: the words of the turn come with the flush that ends it."""

    done_ms = 0

    def __init__(self) -> None:
        self.words: deque[str] = deque()
        self.position_ms = 0
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()

    def feed(self, pcm: bytes) -> None:
        self.position_ms += FRAME_MS

    async def flush(self, timeout_s: float = 1.0) -> Final | None:
        final = Final(self.words.popleft() if self.words else "", self.done_ms, self.position_ms, flushed=True)
        self.done_ms = self.position_ms
        if final.text:
            self._events.put_nowait(final)
        return final

    async def close(self, timeout_s: float = 5.0) -> None:
        self._events.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._events.get()) is not None:
            yield event


class Records:
    """One call's journal, in memory."""

    def __init__(self) -> None:
        self.written: list[tuple[RecordKind, dict[str, Any]]] = []

    def write(self, kind: RecordKind, body: dict[str, Any]) -> None:
        self.written.append((kind, body))

    async def settle(self) -> None:
        """Memory is settled."""

    def take_number(self) -> str | None:
        return "100001"


class Bridge:
    """People's phones, of which all come to the same end."""

    def __init__(self, end: TransferEnd) -> None:
        self._end = end

    async def transfer(self, extension: str, timeout_s: float, ear: Ear) -> TransferEnd:
        return self._end


def example_site() -> SiteSnapshot:
    """The example site, where the caller has an open matter."""
    sites = Path(__file__).parents[2] / "config" / "sites"
    site = load_sites(sites, load_settings(None).rules, AT)["xingfu"].snapshot(AT)
    matter = OpenMatter(
        "100077", "repair", "water_leak", "important", "engineering", Place("3", "2", "1102"), "wang_fang",
        "ma_qiang", "in_progress", AT, (NUMBER,),
    )  # fmt: skip
    return replace(site, open_matters=(matter,))


class Leg:
    """A caller's leg: its audio runs, 20 ms by 20 ms, and the caller takes one turn after everything we say."""

    def __init__(self, turns: Sequence[Turn], site: SiteSnapshot, transfer: TransferEnd) -> None:
        self._turns = deque(turns)
        self._words = ScriptedWords()
        self._voice = Voice()
        self._speaks: deque[bytes] = deque()
        self.ear = Ear(
            self._voice, self._words, on_final=lambda final: None,  # type: ignore[arg-type]
            on_partial=lambda partial: None, on_gap=lambda away: None,
        )  # fmt: skip
        records = Records()
        desk = TicketDesk(records, NUMBER, "zh")

        async def understand(text: str) -> Understanding:
            return fake_understand(text)

        async def open_ticket(labels: Understanding, fields: dict[str, Any], at: datetime) -> OpenedTicket:
            return await desk.open(site, 1, labels, fields, at)

        self.phone = CallPhone(
            self.ear, PhoneWires(records, Sounds(say), "zh", understand, open_ticket, Bridge(transfer), self.ear.close)
        )
        self._tasks = [asyncio.create_task(self.ear.run()), asyncio.create_task(self._audio())]

    async def close(self) -> None:
        """The leg is over."""
        self.ear.close()
        await asyncio.gather(*self._tasks)

    async def _audio(self) -> None:
        heard = ended = 0
        while not self.ear.gone:
            await asyncio.sleep(FRAME_MS / 1000)
            spoke = self._voice.said
            self._voice.next_frame()
            self._voice.take(self._speaks.popleft() if self._speaks else SILENCE)
            heard += self._voice.said > spoke
            ended = ended + 1 if heard and not self._voice.to_say else 0
            over = bool(self._turns) and getattr(self._turns[0], "over", False)
            if heard and max(ended, heard if over else 0) >= AFTER_FRAMES:
                heard = ended = 0
                self._act()

    def _act(self) -> None:
        match self._turns.popleft() if self._turns else Silent():
            case Says(text):
                self._words.words.append(text)
                self._speaks.extend(to_frames(tone(SPEECH_MS)))
            case Keys(keys):
                for key in keys:
                    self.ear.press(Key(1, key, "rfc4733", self._voice.now_ms))
            case HangsUp():
                self.ear.close()
