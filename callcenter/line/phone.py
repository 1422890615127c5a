"""One caller's call as a script sees it: `callcenter.dialplan.phone.Phone` over a real leg."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from callcenter.dialplan.phone import (
    CallerGone,
    Clip,
    Heard,
    ListenEnd,
    OpenedTicket,
    Played,
    PlayEnd,
    TransferEnd,
)
from callcenter.domain.labels import Understanding
from callcenter.domain.records import RecordKind
from callcenter.line.ear import Ear, LegGone
from callcenter.line.sounds import Sounds
from callcenter.line.tickets import CallRecords

HANGUP_TAIL_MS = 200
"""Our last word is let out of the far end's jitter buffer before BYE."""


class Bridge(Protocol):
    """Rings a person and lets the two talk."""

    async def transfer(self, extension: str, timeout_s: float, ear: Ear) -> TransferEnd:
        """As `Phone.transfer`; ends early, NO_ANSWER, when the caller goes."""


@dataclass(frozen=True)
class PhoneWires:
    """What a CallPhone is connected to."""

    records: CallRecords
    sounds: Sounds
    language: str
    understand: Callable[[str], Awaitable[Understanding]]
    open_ticket: Callable[[Understanding, dict[str, Any], datetime], Awaitable[OpenedTicket]]
    bridge: Bridge
    hangup: Callable[[], None]


@dataclass
class _Spoken:
    """One prompt under way on the recording's time line."""

    prompt: str
    text: str
    until: int
    """Count of frames said when it is over."""
    start_ms: int = 0


class CallPhone:
    """Implements `Phone` for one leg; the ear must be running."""

    def __init__(self, ear: Ear, wires: PhoneWires) -> None:
        self.ear = ear
        self.ended: str | None = None
        """Reason given to `hangup`; None while our side has not hung up."""
        self._wires = wires

    # Phone

    async def play(self, clips: Sequence[Clip], *, barge_in: bool = True, stop_keys: str = "") -> Played:
        """See `Phone.play`. What was heard of it is journalled with its place on the recording.

        Any of `stop_keys` ends it too, and stays among the keys that were pressed.
        """
        self._here()
        frames: list[bytes] = []
        spoken: list[_Spoken] = []
        for clip, its in zip(clips, await self._frames(clips), strict=True):
            frames += its
            prompt = clip.prompt.split("/")[0]
            until = self.ear.voice.said + len(frames)
            if spoken and spoken[-1].prompt == prompt:
                glue = " " if self._wires.language == "en" else ""
                spoken[-1] = _Spoken(prompt, spoken[-1].text + glue + clip.text, until)
            else:
                spoken.append(_Spoken(prompt, clip.text, until))
        self._here()
        return await self._play_out(frames, spoken, barge_in=barge_in, stop_keys=stop_keys)

    async def listen(self, *, start_timeout_s: float, end_silence_s: float, max_s: float) -> Heard:
        """See `Phone.listen`. A caller who hangs up in mid-sentence is heard: the next call raises CallerGone."""
        self._here()
        ear, waited_ms, talked_ms = self.ear, 0, 0
        end = ListenEnd.SILENCE
        key: str | None = None
        try:
            while True:
                if ear.keys:
                    end, key = ListenEnd.KEY, ear.keys.popleft().key
                    break
                passed_ms = await ear.tick()
                if ear.held:
                    continue
                if not ear.speech_came:
                    waited_ms += passed_ms
                    if waited_ms >= start_timeout_s * 1000:
                        end = ListenEnd.NO_SPEECH
                        break
                    continue
                talked_ms += passed_ms
                if ear.silent_ms >= end_silence_s * 1000:
                    break
                if talked_ms >= max_s * 1000:
                    end = ListenEnd.TOO_LONG
                    break
        except LegGone:
            turn = await ear.end_turn()
            if not turn.spoke:
                raise CallerGone from None
            return Heard(turn.text(self._wires.language), ListenEnd.SILENCE, spoke=True)
        if end is ListenEnd.NO_SPEECH:
            return Heard("", end, spoke=False)
        turn = await ear.end_turn()
        return Heard(turn.text(self._wires.language), end, turn.spoke, key)

    async def gather(self, *, max_digits: int, timeout_s: float, end_key: str | None = "#") -> str:
        """See `Phone.gather`. `timeout_s` counts from the last key."""
        self._here()
        digits, waited_ms = "", 0
        try:
            while len(digits) < max_digits:
                if self.ear.keys:
                    key = self.ear.keys.popleft().key
                    waited_ms = 0
                    if key == end_key:
                        break
                    digits += key
                    continue
                if waited_ms >= timeout_s * 1000:
                    break
                passed_ms = await self.ear.tick()
                waited_ms += 0 if self.ear.held else passed_ms
        except LegGone:
            raise CallerGone from None
        return digits

    async def understand(self, text: str) -> Understanding:
        """See `Phone.understand`. The last words of a caller who hung up are still understood (R5)."""
        return await self._wires.understand(text)

    async def transfer(self, extension: str, *, timeout_s: float) -> TransferEnd:
        """See `Phone.transfer`."""
        self._here()
        self.ear.keys.clear()
        try:
            end = await self._wires.bridge.transfer(extension, timeout_s, self.ear)
        except LegGone:
            raise CallerGone from None
        await self.ear.end_turn()
        if end is not TransferEnd.COMPLETED:
            self._here()
        return end

    async def open_ticket(self, understanding: Understanding, fields: dict[str, Any]) -> OpenedTicket:
        """See `Phone.open_ticket`. What was understood of the last words may still be written down."""
        return await self._wires.open_ticket(understanding, fields, datetime.now(UTC))

    async def hangup(self, reason: str) -> None:
        """See `Phone.hangup`."""
        if self.ended is not None or self.ear.gone:
            return
        self.ended = reason
        left_ms = HANGUP_TAIL_MS
        try:
            while left_ms > 0:
                left_ms -= await self.ear.tick()
        except LegGone:
            return
        self._wires.hangup()

    # the inside

    def _here(self) -> None:
        if self.ear.gone or self.ended is not None:
            raise CallerGone

    async def _frames(self, clips: Sequence[Clip]) -> list[list[bytes]]:
        sounds, language = self._wires.sounds, self._wires.language
        return await asyncio.gather(*(sounds.frames(clip, language) for clip in clips))

    async def _play_out(
        self, frames: list[bytes], spoken: list[_Spoken], *, barge_in: bool, stop_keys: str
    ) -> Played:
        ear, voice = self.ear, self.ear.voice
        if barge_in and ear.keys:
            return Played(PlayEnd.KEY, ear.keys.popleft().key)
        ended = Played(PlayEnd.FINISHED)
        current = 0
        target = voice.said + len(frames)
        start_ms = voice.now_ms
        voice.say(frames)
        try:
            while voice.said < target:
                await ear.tick()
                while current < len(spoken) and voice.said >= spoken[current].until:
                    self._said(spoken[current], start_ms, interrupted=False)
                    start_ms, current = voice.now_ms, current + 1
                if barge_in and ear.keys:
                    ended = Played(PlayEnd.KEY, ear.keys.popleft().key)
                    break
                if stopping := next((pressed.key for pressed in ear.keys if pressed.key in stop_keys), None):
                    ended = Played(PlayEnd.KEY, stopping)
                    break
                if barge_in and ear.activity.speaking and not ear.held:
                    ended = Played(PlayEnd.SPEECH)
                    break
        except (LegGone, asyncio.CancelledError) as over:
            voice.hush()
            if current < len(spoken):
                self._said(spoken[current], start_ms, interrupted=True)
            if isinstance(over, LegGone):
                raise CallerGone from None
            raise
        voice.hush()
        for left in spoken[current : current + 1]:
            self._said(left, start_ms, interrupted=ended.end is not PlayEnd.FINISHED)
        return ended

    def _said(self, spoken: _Spoken, start_ms: int, *, interrupted: bool) -> None:
        body = {
            "start_ms": start_ms, "end_ms": self.ear.voice.now_ms, "prompt": spoken.prompt, "text": spoken.text,
            "interrupted": interrupted,
        }  # fmt: skip
        self._wires.records.write(RecordKind.CALL_SAID, body)
