"""What a dialplan needs of the telephone: the seam between the interpreter and whatever carries the call.

The line implements it with pjsua2, `callcenter dialplan try` with a terminal, tests with a scripted caller;
all three pass tests/contract/test_phone.py. Once the caller has hung up every method raises `CallerGone`, except
`understand` and `open_ticket`, which work on so that the last words are not lost, and `hangup`, which never raises it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from callcenter.domain.labels import Understanding


class CallerGone(Exception):  # noqa: N818 — it is an outcome, not a fault
    """The caller hung up; the script ends here and nothing said so far is lost (R5)."""


class PlayEnd(StrEnum):
    FINISHED = "finished"
    SPEECH = "speech"
    """The caller began to speak (barge-in)."""
    KEY = "key"


@dataclass(frozen=True)
class Clip:
    """Something to be heard: recorded audio (8 kHz mono 16-bit WAV) with its text. `pause_ms` of silence follow.

    `audio` None means the text is dynamic and no recording exists: the line asks `speech` to say it and
    spells what it can from recorded parts when there is no answer within 300 ms.
    """

    prompt: str
    text: str
    audio: Path | None
    pause_ms: int = 0


@dataclass(frozen=True)
class Played:
    end: PlayEnd
    key: str | None = None


class ListenEnd(StrEnum):
    SILENCE = "silence"
    """The caller spoke and then was silent for `end_silence_s`."""
    NO_SPEECH = "no_speech"
    KEY = "key"
    TOO_LONG = "too_long"


@dataclass(frozen=True)
class Heard:
    """What the caller said in one turn. `text` has no spaces in Chinese; "" if nothing was recognised.

    `spoke` is true if speech energy was heard, even where no word was recognised.
    """

    text: str
    end: ListenEnd
    spoke: bool
    key: str | None = None


class TransferEnd(StrEnum):
    COMPLETED = "completed"
    """The two talked and one hung up; the call is over for the script (the caller may still be there)."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    """No phone registered, or no free leg."""


@dataclass(frozen=True)
class OpenedTicket:
    """What can be said of the ticket that was opened or joined. `number` is what the caller hears."""

    number: str
    joined: bool
    first_responder: str
    responsible: str
    department: str
    answer_by: datetime
    facts: dict[str, str]
    """Further spoken facts by name (e.g. `action`, `responsible_title`), in the script's language."""


class Phone(Protocol):
    """One caller's call, as a script sees it."""

    async def play(self, clips: Sequence[Clip], *, barge_in: bool = True) -> Played:
        """Play `clips` one after another; stop at once when the caller speaks or presses a key (if `barge_in`)."""

    async def listen(self, *, start_timeout_s: float, end_silence_s: float, max_s: float) -> Heard:
        """Hear the caller to the end of a turn (R4). Keys pressed end it at once."""

    async def gather(self, *, max_digits: int, timeout_s: float, end_key: str | None = "#") -> str:
        """Collect keys; returns what was pressed ("" on timeout), without the end key."""

    async def understand(self, text: str) -> Understanding:
        """Labels of everything the caller said so far; falls back on rules after 300 ms."""

    async def transfer(self, extension: str, *, timeout_s: float) -> TransferEnd:
        """Ring a person's phone (user part at the edge) and bridge; the caller hears a ringback meanwhile."""

    async def open_ticket(self, understanding: Understanding, fields: dict[str, Any]) -> OpenedTicket:
        """Open the ticket now, or amend the one this call already has; journalled before it returns."""

    async def hangup(self, reason: str) -> None:
        """End the call. Never raises `CallerGone`."""
