"""Records a call's two sides on one time line, with pjmedia's own recorder (it needs no GIL).

A recorder writes nothing while nothing feeds it, so both tracks are always fed by silence too: file time is wall
time through hold, re-INVITE and lost packets.
"""

from __future__ import annotations

from typing import Any

import pjsua2 as pj

CALLER_SUFFIX = ".caller.wav"
OURS_SUFFIX = ".ours.wav"


class TwoTrackRecorder:
    """Two WAV files `<base>.caller.wav` and `<base>.ours.wav` with one origin. Owner thread only.

    The headers are finished a moment after `close`; a process that dies leaves files without lengths, which
    `callcenter.line.recordings` reads by their size.
    """

    def __init__(self, base: str, ours: Any, silence: Any) -> None:
        self.caller: Any = pj.AudioMediaRecorder()
        self.ours: Any = pj.AudioMediaRecorder()
        self.caller.createRecorder(base + CALLER_SUFFIX, 0, 0, 0)
        self.ours.createRecorder(base + OURS_SUFFIX, 0, 0, 0)
        silence.startTransmit(self.caller)
        silence.startTransmit(self.ours)
        ours.startTransmit(self.ours)

    def close(self) -> None:
        """Stop both tracks and let pjmedia finish the files."""
        self.caller = self.ours = None
