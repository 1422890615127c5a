"""A telephone without a line: a scripted caller answers what our side asks, by prompt.

It keeps the promises of `callcenter.dialplan.phone.Phone` and passes tests/contract/test_phone.py as the real one does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from callcenter.dialplan.phone import (
    CallerGone,
    Clip,
    Heard,
    ListenEnd,
    OpenedTicket,
    Played,
    PlayEnd,
    TransferEnd,
)
from callcenter.domain.labels import Understanding


@dataclass(frozen=True)
class Says:
    """The caller speaks; "" is a noise in which no word is recognised. `over` speaks into the prompt (barge-in)."""

    text: str
    over: bool = False


@dataclass(frozen=True)
class Keys:
    """The caller presses keys; with `over` while our side still speaks."""

    keys: str
    over: bool = False


@dataclass(frozen=True)
class Silent:
    """The caller says nothing."""


@dataclass(frozen=True)
class HangsUp:
    """The caller hangs up; with `over` while our side still speaks."""

    over: bool = False


Turn = Says | Keys | Silent | HangsUp


@dataclass
class FakeCaller:
    """What a caller does after each prompt, by its id; turns of one prompt are used up in order.

    A bare string is speech. `otherwise` answers prompts that are not listed.
    """

    after: Mapping[str, str | Turn | Sequence[str | Turn]] = field(default_factory=dict)
    otherwise: Callable[[str], Turn] = lambda prompt: Silent()
    _used: dict[str, int] = field(default_factory=dict)

    def turn(self, prompt: str) -> Turn:
        """The next turn after `prompt`."""
        if prompt not in self.after:
            return self.otherwise(prompt)
        listed = self.after[prompt]
        turns = [listed] if isinstance(listed, str | Says | Keys | Silent | HangsUp) else list(listed)
        at = self._used.get(prompt, 0)
        self._used[prompt] = at + 1
        if at >= len(turns):
            return self.otherwise(prompt)
        turn = turns[at]
        return Says(turn) if isinstance(turn, str) else turn


class FakePhone:
    """`Phone` over a `FakeCaller`. What happened is in `said` (prompt ids), `texts`, `events`, `tickets`."""

    def __init__(
        self,
        caller: FakeCaller,
        understand: Callable[[str], Understanding],
        *,
        operator: TransferEnd = TransferEnd.NO_ANSWER,
        now: datetime = datetime(2026, 3, 4, 2, 0, tzinfo=UTC),
        joined: bool = False,
    ) -> None:
        self._caller, self._understand, self._operator, self._now = caller, understand, operator, now
        self._joined = joined
        self.said: list[str] = []
        self.texts: list[str] = []
        self.events: list[str] = []
        self.tickets: list[tuple[Understanding, dict[str, Any]]] = []
        self.transfers: list[str] = []
        self.ended: str | None = None
        self._next: Turn | None = None
        self._keys = ""
        self._gone = False

    def _there(self) -> None:
        if self._gone or self.ended:
            raise CallerGone

    def _leave(self) -> None:
        self._gone = True
        self.events.append("caller hangs up")
        raise CallerGone

    async def play(self, clips: Sequence[Clip], *, barge_in: bool = True) -> Played:
        self._there()
        prompts = [clip.prompt for clip in clips]
        self.said += [p for at, p in enumerate(prompts) if "/" not in p and p not in prompts[:at]]
        self.texts.append("".join(clip.text for clip in clips))
        self.events.append(f"play {self.texts[-1]}")
        if not clips or self._next is not None:
            return Played(PlayEnd.FINISHED)
        turn = self._caller.turn(prompts[-1].split("/")[0])
        self._next = turn
        match turn:
            case HangsUp(over=True):
                self._leave()
            case Says(over=True) if barge_in:
                return Played(PlayEnd.SPEECH)
            case Keys(keys, over=True) if barge_in:
                self._keys, self._next = keys[1:], None
                return Played(PlayEnd.KEY, keys[0])
        if isinstance(turn, Silent):
            self._next = None
        return Played(PlayEnd.FINISHED)

    async def listen(self, *, start_timeout_s: float, end_silence_s: float, max_s: float) -> Heard:
        self._there()
        assert start_timeout_s > 0
        assert end_silence_s > 0
        assert max_s > 0
        turn, self._next = self._next or Silent(), None
        self.events.append(f"hear {turn}")
        match turn:
            case HangsUp():
                self._leave()
            case Keys(keys):
                self._keys = keys[1:]
                return Heard("", ListenEnd.KEY, spoke=False, key=keys[0])
            case Says(text):
                return Heard(text, ListenEnd.SILENCE, spoke=True)
        return Heard("", ListenEnd.NO_SPEECH, spoke=False)

    async def gather(self, *, max_digits: int, timeout_s: float, end_key: str | None = "#") -> str:
        self._there()
        assert timeout_s > 0
        keys, self._keys = self._keys, ""
        return keys.split(end_key)[0][:max_digits] if end_key else keys[:max_digits]

    async def understand(self, text: str) -> Understanding:
        return self._understand(text)

    async def transfer(self, extension: str, *, timeout_s: float) -> TransferEnd:
        self._there()
        assert timeout_s > 0
        self.transfers.append(extension)
        self.events.append(f"transfer {extension}")
        return self._operator

    async def open_ticket(self, understanding: Understanding, fields: dict[str, Any]) -> OpenedTicket:
        self.tickets.append((understanding, fields))
        self.events.append("ticket")
        return OpenedTicket(
            number=str(fields.get("joins", "100001")),
            joined=self._joined or "joins" in fields,
            first_responder="operator-a",
            responsible="engineer-b",
            department="工程部",
            answer_by=self._now + timedelta(hours=3, minutes=30),
            facts={"responsible_title": "工程部值班员"},
        )

    async def hangup(self, reason: str) -> None:
        if not self._gone and not self.ended:
            self.ended = reason
            self.events.append(f"hangup {reason}")
