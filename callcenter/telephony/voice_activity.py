"""Whether somebody speaks, from the energy of 20 ms frames against a floor that follows the line's noise."""

from __future__ import annotations

from array import array
from collections import deque

from callcenter.telephony.voice import FRAME_MS

QUIETEST_SPEECH = 180.0
"""Mean absolute amplitude (of 32768) below which nothing counts as speech."""
WHILE_WE_SPEAK = 350.0
"""The same while we are talking ourselves: an echo of the prompt must not stop the prompt."""
OVER_FLOOR = 3.0
FLOOR_START = 40.0
FLOOR_FRAMES = 100
SMOOTH = 0.5
"""Weight of a new frame in the level that the floor is taken from."""
ONSET_WINDOW = 10
ONSET_FRAMES = 6
"""Loud frames of the last ten (120 of 200 ms) that make speech: a click or a knock does not."""


def loudness(frame: bytes) -> float:
    """Mean absolute amplitude of a 16-bit frame, 0..32768."""
    samples = array("h", frame)
    return sum(map(abs, samples)) / len(samples) if samples else 0.0


class VoiceActivity:
    """Feed one frame every 20 ms. `speaking` follows onset and pause; the counters are in milliseconds."""

    def __init__(self) -> None:
        self.speaking = False
        self.spoken_ms = 0
        """Loud frames since `reset`."""
        self.silent_ms = 0
        """Time since the last loud frame, or since `reset`."""
        self._recent: deque[bool] = deque(maxlen=ONSET_WINDOW)
        self._levels: deque[float] = deque([FLOOR_START], maxlen=FLOOR_FRAMES)

    def reset(self) -> None:
        """Begin a new turn; what was learnt of the line's noise stays."""
        self.speaking = False
        self.spoken_ms = self.silent_ms = 0
        self._recent.clear()

    def feed(self, frame: bytes, *, we_speak: bool = False) -> bool:
        """Take one frame; returns `speaking`."""
        level = loudness(frame)
        least = WHILE_WE_SPEAK if we_speak else QUIETEST_SPEECH
        loud = level > max(least, self.floor * OVER_FLOOR)
        self._levels.append(self._levels[-1] + SMOOTH * (level - self._levels[-1]))
        self._recent.append(loud)
        if loud:
            self.spoken_ms += FRAME_MS
            self.silent_ms = 0
        else:
            self.silent_ms += FRAME_MS
        if not self.speaking:
            self.speaking = sum(self._recent) >= ONSET_FRAMES
        elif not any(self._recent):
            self.speaking = False
        return self.speaking

    @property
    def floor(self) -> float:
        """The line's noise: the quietest moment of the last two seconds. Speech has gaps, noise has none."""
        return min(self._levels)
