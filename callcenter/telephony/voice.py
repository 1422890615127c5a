"""Audio of one leg as plain frames: what crosses between pjmedia's clock thread and asyncio.

Nothing here touches pjsua2, so asyncio may hold it as long as it likes. All audio is 8 kHz, mono, 16-bit
little-endian; a frame is 20 ms (160 samples, 320 bytes).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

SAMPLE_RATE_HZ = 8000
FRAME_MS = 20
FRAME_BYTES = SAMPLE_RATE_HZ * FRAME_MS // 1000 * 2
SILENCE = bytes(FRAME_BYTES)
HEARD_LIMIT = 1500
"""Frames kept for a reader that does not come (30 s); beyond that the oldest are lost, the recording is not."""


def to_frames(pcm: bytes) -> list[bytes]:
    """Cut 8 kHz mono 16-bit PCM into 20 ms frames; the last one is filled up with silence."""
    frames = [pcm[i : i + FRAME_BYTES] for i in range(0, len(pcm), FRAME_BYTES)]
    if frames and len(frames[-1]) < FRAME_BYTES:
        frames[-1] = frames[-1].ljust(FRAME_BYTES, b"\0")
    return frames


class Voice:
    """Both directions of one leg's audio and the leg's clock.

    `heard` is filled and `to_say` is emptied on pjmedia's clock thread, one frame every 20 ms, by nothing but
    append and popleft. `ticks` counts the frames since the leg's audio began, held or not: `now_ms` is the
    place on the recording's time line.
    """

    __slots__ = ("heard", "paused", "said", "ticks", "to_say")

    def __init__(self) -> None:
        self.heard: deque[bytes] = deque(maxlen=HEARD_LIMIT)
        self.to_say: deque[bytes] = deque()
        self.paused = False
        """While true nothing is said and `to_say` waits: the far end has put us on hold."""
        self.said = 0
        """Frames of `to_say` that have gone out."""
        self.ticks = 0

    @property
    def now_ms(self) -> int:
        """Milliseconds since the leg's audio began."""
        return self.ticks * FRAME_MS

    def say(self, frames: Iterable[bytes]) -> None:
        """Queue frames to be sent after whatever is still queued."""
        self.to_say.extend(frames)

    def hush(self) -> int:
        """Drop what is still to be said; returns how many frames were not said."""
        left = len(self.to_say)
        self.to_say.clear()
        return left

    def next_frame(self) -> bytes:
        """The frame to send now (clock thread only)."""
        if self.paused or not self.to_say:
            return SILENCE
        try:
            frame = self.to_say.popleft()
        except IndexError:  # hushed by the other thread between the two lines
            return SILENCE
        self.said += 1
        return frame

    def take(self, frame: bytes) -> None:
        """A frame from the far end, silence when there was none (clock thread only)."""
        self.ticks += 1
        self.heard.append(frame)
