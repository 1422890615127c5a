"""Rings a person's phone through the edge and lets caller and person talk; nobody answering, the call comes back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from callcenter.dialplan.phone import TransferEnd
from callcenter.domain.records import RecordKind
from callcenter.errors import TelephonyError
from callcenter.line.ear import Ear, LegGone
from callcenter.line.sounds import Sounds
from callcenter.line.tickets import CallRecords
from callcenter.telephony.endpoint import Endpoint
from callcenter.telephony.events import Confirmed, Event, Gone, MediaUp, Progress
from callcenter.telephony.voice import Voice

BUSY_STATUSES = frozenset({486, 600, 603})
END_OF_TALK_S = 2.0


class FarLeg(Enum):
    """A person's leg: DIALLING → RINGING → TALKING → GONE, or GONE from anywhere."""

    DIALLING = "dialling"
    RINGING = "ringing"
    TALKING = "talking"
    GONE = "gone"


@dataclass
class _Person:
    state: FarLeg = FarLeg.DIALLING
    status: int = 0
    rang: bool = False
    voice: Voice | None = None


class PersonBridge:
    """Transfers of one caller's leg. `watch(leg, handler)` routes a new leg's events, None ends it.

    `hear(voice)` returns an ear that writes down what the person says, or None.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        leg: int,
        records: CallRecords,
        sounds: Sounds,
        *,
        address: Callable[[str], str | None],
        watch: Callable[[int, Callable[[Event], None] | None], None],
        hear: Callable[[Voice], Ear | None],
        staff: Callable[[str], str | None],
    ) -> None:
        self._endpoint, self._leg, self._records, self._sounds = endpoint, leg, records, sounds
        self._address, self._watch, self._hear, self._staff = address, watch, hear, staff

    async def transfer(self, extension: str, timeout_s: float, ear: Ear) -> TransferEnd:
        """Ring `extension`, bridge when it answers; returns when the talk is over or did not come about.

        Raises LegGone when the caller hangs up while it rings.
        """
        uri = self._address(extension)
        if uri is None:
            self._note(extension, "unreachable", ear)
            return TransferEnd.UNREACHABLE
        person, changed = _Person(), asyncio.Event()

        def take(event: Event) -> None:
            match event:
                case Progress(status=status) if status >= 180:
                    person.state, person.rang = FarLeg.RINGING, True
                case MediaUp(voice=voice):
                    person.voice = voice
                case Confirmed():
                    person.state = FarLeg.TALKING
                case Gone(status=status):
                    person.state, person.status = FarLeg.GONE, status
                case _:
                    return
            changed.set()

        try:
            far = await self._endpoint.dial(uri)
        except TelephonyError:
            self._note(extension, "unreachable", ear)
            return TransferEnd.UNREACHABLE
        self._watch(far, take)
        self._note(extension, "ringing", ear)
        try:
            try:
                end = await self._ring(person, timeout_s, ear)
            except LegGone:
                self._note(extension, "abandoned", ear)
                raise
            if end is not None:
                self._note(extension, end.value, ear)
                return end
            self._note(extension, "answered", ear)
            await self._talk(far, person, changed, ear)
            self._note(extension, "ended", ear)
            return TransferEnd.COMPLETED
        finally:
            ear.voice.hush()
            self._endpoint.unbridge(self._leg, far)
            self._endpoint.hangup(far, 487)
            if person.state is FarLeg.GONE:
                self._watch(far, None)

    async def _ring(self, person: _Person, timeout_s: float, ear: Ear) -> TransferEnd | None:
        """None when the person answered. The caller hears the exchange's ringback meanwhile."""
        rung_ms = 0
        while rung_ms < timeout_s * 1000:
            if person.state is FarLeg.TALKING:
                return None
            if person.state is FarLeg.GONE:
                if person.status in BUSY_STATUSES:
                    return TransferEnd.BUSY
                break
            if not ear.voice.to_say:
                ear.voice.say(self._sounds.ringback)
            rung_ms += await ear.tick()
        return TransferEnd.NO_ANSWER if person.rang else TransferEnd.UNREACHABLE

    async def _talk(self, far: int, person: _Person, changed: asyncio.Event, ear: Ear) -> None:
        ear.voice.hush()
        self._endpoint.bridge(self._leg, far)
        theirs = self._hear(person.voice) if person.voice is not None else None
        listening = asyncio.create_task(theirs.run()) if theirs is not None else None
        try:
            while person.state is not FarLeg.GONE:
                changed.clear()
                waits = [asyncio.create_task(changed.wait()), asyncio.create_task(_gone(ear))]
                try:
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for wait in waits:
                        wait.cancel()
                if ear.gone:
                    break
        finally:
            if theirs is not None and listening is not None:
                theirs.close()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(END_OF_TALK_S):
                        await listening

    def _note(self, extension: str, state: str, ear: Ear) -> None:
        body: dict[str, Any] = {"to": self._staff(extension), "state": state, "at_ms": ear.voice.now_ms}
        self._records.write(RecordKind.CALL_TRANSFER, body)


async def _gone(ear: Ear) -> None:
    try:
        while True:
            await ear.tick()
    except LegGone:
        return
