"""Everything our side says, in memory as frames: prompts, tones, and what is synthesised during the call."""

from __future__ import annotations

import io
import math
import wave
from array import array
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from callcenter.dialplan.phone import Clip
from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.telephony.voice import FRAME_MS, SAMPLE_RATE_HZ, SILENCE, to_frames
from callcenter.telephony.wav import read_prompt

log = get_logger("line.sounds")
RINGBACK_HZ = 450
RINGBACK_AMPLITUDE = 4000
"""About −15 dBm0, as the exchanges send it."""
KEPT_SAYINGS = 200
SayIt = Callable[[str, str], Awaitable[bytes]]
"""(text, language) → a WAV; raises CallCenterError when there is none in time."""


def silence(ms: int) -> list[bytes]:
    """Frames of silence, rounded to 20 ms."""
    return [SILENCE] * round(ms / FRAME_MS)


def ringback() -> list[bytes]:
    """One period of the tone a waiting caller hears in China: 450 Hz, 1 s on, 4 s off."""
    step = 2 * math.pi * RINGBACK_HZ / SAMPLE_RATE_HZ
    tone = array("h", (round(RINGBACK_AMPLITUDE * math.sin(step * n)) for n in range(SAMPLE_RATE_HZ)))
    return to_frames(tone.tobytes()) + silence(4000)


class Sounds:
    """The line's store of audio."""

    def __init__(self, say: SayIt) -> None:
        self._say = say
        self._files: dict[Path, list[bytes]] = {}
        self._said: dict[tuple[str, str], list[bytes]] = {}
        self.ringback = ringback()

    def load(self, paths: Iterable[Path]) -> None:
        """Take WAV files into memory. Raises TelephonyError for one that is not 8 kHz mono 16-bit."""
        for path in paths:
            self._files[path] = to_frames(read_prompt(path))

    @property
    def loaded_s(self) -> float:
        """Seconds of audio in memory."""
        return sum(map(len, self._files.values())) * FRAME_MS / 1000

    async def frames(self, clip: Clip, language: str) -> list[bytes]:
        """What is heard of a clip, with its pause; only the pause when no voice can be had for it."""
        if clip.audio is not None:
            if clip.audio not in self._files:  # recorded by staff since the start
                self._files[clip.audio] = to_frames(read_prompt(clip.audio))
            spoken = self._files[clip.audio]
        else:
            spoken = await self._synthesised(clip.text, language)
        return spoken + silence(clip.pause_ms)

    async def _synthesised(self, text: str, language: str) -> list[bytes]:
        key = (text, language)
        if key not in self._said:
            try:
                self.keep(text, language, await self._say(text, language))
            except (CallCenterError, wave.Error, EOFError) as error:
                log.warning("saying_left_out", reason=getattr(error, "code", type(error).__name__))
                return []
        return self._said[key]

    def keep(self, text: str, language: str, wav: bytes) -> None:
        """Keep a synthesised WAV (8 kHz mono 16-bit) of a text; the oldest are let go. Raises wave.Error."""
        with wave.open(io.BytesIO(wav), "rb") as file:
            frames = to_frames(file.readframes(file.getnframes()))
        while len(self._said) >= KEPT_SAYINGS:
            self._said.pop(next(iter(self._said)))
        self._said[text, language] = frames
