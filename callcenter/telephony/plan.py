"""What a scripted caller or a scripted phone is to do: plain values that cross to the child process as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    SAY = "say"
    """`value` is text; it is synthesised before dialling."""
    PLAY = "play"
    """`value` is the path of a WAV file, 8 kHz mono 16-bit."""
    KEYS = "keys"
    """`value` is keys, sent by RFC 4733."""
    INFO_KEYS = "info_keys"
    """`value` is one key, sent by SIP INFO."""
    HOLD = "hold"
    UNHOLD = "unhold"
    REINVITE = "reinvite"
    WAIT = "wait"
    """Do nothing; `when` does the waiting."""
    HANGUP = "hangup"


class When(StrEnum):
    QUIET = "quiet"
    """The other side has spoken and then fallen silent (or has said nothing for `QUIET_LIMIT_S`)."""
    NOW = "now"
    """As soon as the step before is done."""
    TALKING = "talking"
    """The other side has begun to speak."""


@dataclass(frozen=True)
class Turn:
    """One thing the caller does: at `when`, and `after_s` seconds on."""

    action: Action
    value: str = ""
    when: When = When.QUIET
    after_s: float = 0.0


@dataclass(frozen=True)
class CallPlan:
    """A call to make. The caller waits for the other side to hang up once its turns are done."""

    uri: str
    turns: tuple[Turn, ...] = ()
    from_number: str = "anonymous"
    language: str = "zh"
    voice: str = "f2"
    bind_host: str = "127.0.0.1"
    cancel_after_s: float | None = None
    """Give up while it rings, this long after the INVITE."""
    hangup_after_s: float | None = None
    """Hang up this long after the answer."""
    max_s: float = 300.0
    """The whole call is ended after this."""
    record: str | None = None
    """Stereo WAV to write: what was heard, what was said."""
    transcriber_url: str | None = None
    """vosk-server that writes down what was heard."""


@dataclass(frozen=True)
class PhonePlan:
    """A person's phone: registers, answers calls, plays a file, takes its turns, hangs up."""

    registrar: str | None
    """host:port of the edge; None: it registers nowhere and takes every call, as a carrier's subscriber."""
    user: str
    password: str = field(repr=False)
    bind_host: str = "127.0.0.1"
    answer_after_s: float | None = 0.2
    """None: let it ring."""
    refuse_status: int | None = None
    """Answer every call with this instead (486: busy)."""
    play: str | None = None
    """WAV file said after answering."""
    hangup_after_s: float | None = None
    keys: str = ""
    """Keys pressed after the other side has fallen silent."""
    turns: tuple[Turn, ...] = ()
    """What the person does in a call, after `keys`."""
    language: str = "zh"
    voice: str = "f4"
    sip_port: int = 0
    """Where it listens; 0: any free port."""
    record: str | None = None
    max_s: float = 600.0


@dataclass(frozen=True)
class CallReport:
    """What came of a call. Milliseconds count from our INVITE; None where it never happened."""

    status: int
    """Last SIP status: 200 when the call was up, else why not."""
    answered: bool
    ringing_ms: float | None
    answered_ms: float | None
    rings: int
    """Whole rings begun when it was answered or given up (1 s on, 4 s off)."""
    talk_s: float
    ended_by: str
    """`them`, `us`, or `nobody` when it never was answered."""
    heard: str
    """What the other side said, when a transcriber was given."""
    longest_silence_s: float
    """Longest time in which neither side spoke, after the answer."""
    turns_done: int
    recording: str | None
    events: tuple[dict[str, object], ...] = ()
