"""How well the clock is kept."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_TIMEX_BYTES = 208
_STATUS_OFFSET = 40
"""`status` in struct timex on 64-bit Linux: after modes, offset, freq, maxerror, esterror, each padded to 8 bytes."""


def clock_synchronised() -> bool | None:
    """Whether the kernel's clock is kept by somebody (NTP, PTP); None when the kernel does not say."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: read only
    state = int(adjtimex(buffer))
    if state < 0:
        return None
    status = int.from_bytes(buffer.raw[_STATUS_OFFSET : _STATUS_OFFSET + 4], "little")
    return state != _TIME_ERROR and not status & _STA_UNSYNC


def newest_ahead_s(folder: Path) -> float:
    """By how many seconds the newest file of this node's journals and state is dated in the future; 0 when none is."""
    newest = 0.0
    for place in (folder / "node", folder / "run"):
        for path in place.rglob("*") if place.is_dir() else ():
            try:
                newest = max(newest, path.stat().st_mtime)
            except OSError:
                continue
    return max(0.0, newest - time.time())
