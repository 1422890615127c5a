"""What the telephone tells asyncio. A leg is an integer key; times are `time.monotonic()` seconds."""

from __future__ import annotations

from dataclasses import dataclass

from callcenter.telephony.sip import Request
from callcenter.telephony.voice import Voice


@dataclass(frozen=True)
class Incoming:
    """A caller rings; 180 has been sent."""

    leg: int
    request: Request
    rang_at: float
    """When the caller first heard it ring: our 180, or before that the edge's or another line's."""
    record_as: str | None
    """Where its audio will be recorded: path without the tracks' suffixes."""
    invite_to_180_ms: float


@dataclass(frozen=True)
class Refused:
    """An INVITE was turned away at once: `status` says how, `reason` why (`source`, `full`, `closed`, `media`)."""

    status: int
    reason: str


@dataclass(frozen=True)
class Progress:
    """A leg we dialled rings at the far end (18x)."""

    leg: int
    status: int
    at: float


@dataclass(frozen=True)
class Answered:
    """Our 200 has gone out (incoming; not yet ACKed)."""

    leg: int
    at: float
    by: str
    """`script`, or `watchdog` when nobody had said when to answer by the last moment of the third ring."""


@dataclass(frozen=True)
class Confirmed:
    """Both sides agree that the call is up (ACK received or sent)."""

    leg: int
    at: float


@dataclass(frozen=True)
class MediaUp:
    """The leg's audio runs for the first time; `voice` is its two directions."""

    leg: int
    voice: Voice
    at: float


@dataclass(frozen=True)
class Held:
    """The far end put us on hold, or took us back."""

    leg: int
    on: bool
    at_ms: int


@dataclass(frozen=True)
class Key:
    """A key was pressed. `by` is `rfc4733` or `info`."""

    leg: int
    key: str
    by: str
    at_ms: int


@dataclass(frozen=True)
class Gone:
    """The leg is over and its key will not come back."""

    leg: int
    status: int
    """SIP status of the end: 200 a BYE, 487 cancelled, 408 no ACK or no answer, 486 busy, …"""
    confirmed: bool
    at: float
    given_up: bool = False
    """We gave it up because our 200 was never ACKed."""


@dataclass(frozen=True)
class Registered:
    """A registration of ours was answered."""

    status: int


@dataclass(frozen=True)
class Fault:
    """Something failed inside a callback or a command; it is reported, never lost."""

    where: str
    error: str


Event = Incoming | Refused | Progress | Answered | Confirmed | MediaUp | Held | Key | Gone | Registered | Fault
