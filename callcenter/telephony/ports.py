"""Python ends of pjmedia's conference: pooled, created once, never destroyed (destroying one can abort).

Callbacks run on the null device's clock thread with the GIL held, so they do nothing but move one frame.
`bytes(frame.buf)` costs a quarter of a millisecond; reading the C++ vector through ctypes under one microsecond.
The layout that this relies on is checked at every start (`check_vector_layout`).
"""

from __future__ import annotations

import ctypes
from typing import Any

import pjsua2 as pj

from callcenter.errors import TelephonyError
from callcenter.telephony.voice import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ, SILENCE, Voice

_TwoPointers = ctypes.c_size_t * 2


def read_vector(vector: Any) -> bytes:
    """Bytes of a SWIG `std::vector<unsigned char>` (begin and end pointers lie first)."""
    begin, end = _TwoPointers.from_address(int(vector.this))
    return ctypes.string_at(begin, end - begin) if end > begin else b""


def check_vector_layout() -> None:
    """Raise TelephonyError unless the wheel's vectors look as `read_vector` expects."""
    sample = bytes(range(256))
    if read_vector(pj.ByteVector(sample)) != sample:
        raise TelephonyError(
            "telephony.vector_layout",
            "this build of pjsua2 keeps its audio buffers differently from the one the line was written for",
            mend="install the locked version: pip install pjsua2-python==2.15.1.post1",
        )


def audio_format() -> Any:
    """8 kHz mono 16-bit, 20 ms."""
    fmt = pj.MediaFormatAudio()
    fmt.init(pj.PJMEDIA_FORMAT_PCM, SAMPLE_RATE_HZ, 1, FRAME_MS * 1000, 16)
    return fmt


class AudioPort(pj.AudioMediaPort):  # type: ignore[misc]
    """One pooled port. `voice` is whose audio it carries now, None while it waits in the pool."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.voice: Voice | None = None
        self.faults = 0
        self.beats = 0
        """Ticks of pjmedia's clock, in use or not: it stands still when the clock does."""
        self._vector = pj.ByteVector(SILENCE)
        self._address = ctypes.c_size_t.from_address(int(self._vector.this)).value
        self.createPort(name, audio_format())

    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802 — pjsua2's name
        try:
            voice = self.voice
            ctypes.memmove(self._address, SILENCE if voice is None else voice.next_frame(), FRAME_BYTES)
            frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
            frame.buf = self._vector
            frame.size = FRAME_BYTES
        except Exception:  # noqa: BLE001 — nothing may leave a callback of the clock thread
            self.faults += 1

    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802 — pjsua2's name
        self.beats += 1
        try:
            voice = self.voice
            if voice is None:
                return
            if frame.size == FRAME_BYTES and frame.type == pj.PJMEDIA_FRAME_TYPE_AUDIO:
                voice.take(read_vector(frame.buf))
            else:
                voice.take(SILENCE)
        except Exception:  # noqa: BLE001 — nothing may leave a callback of the clock thread
            self.faults += 1
