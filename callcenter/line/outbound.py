"""Calls that the house makes: a person of ours is rung, hears the matter and takes it or not by key (R13, R15, R22).

A desk asks for one with the command `dial`; what comes of it is journalled as `person.call` and `person.answer`, so
that a desk which died meanwhile knows it too. Some legs stay free for callers whatever is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from callcenter.dialplan.phone import CallerGone, Clip
from callcenter.domain.records import RecordKind
from callcenter.errors import CallCenterError, TelephonyError
from callcenter.line.bridge import BUSY_STATUSES
from callcenter.line.ear import Ear
from callcenter.line.house import CallJournal, House
from callcenter.line.phone import CallPhone, PhoneWires
from callcenter.log import get_logger
from callcenter.node.ids import uuid7
from callcenter.speech.client import TranscriberClient
from callcenter.telephony.events import Confirmed, Event, Gone, Held, Key, MediaUp, Progress

log = get_logger("line.outbound")
RING_S = 60.0
"""Nobody answering for so long: the next in the chain is rung (R13)."""
TOLD_AT_MOST = 3
KEY_WITHIN_S = 5.0
VOICE_WITHIN_S = 10.0
"""The matter's text is put into sound while the phone rings; a voice that takes longer is away."""
VERDICT_WITHIN_S = 4.0
"""So long the desk may take to say what came of a key; then it is thanked for."""
QUESTIONS = {"take": "person_take", "know": "person_know"}
"""Prompt by what is wanted of the person: take the matter, or know of it (R13, R15)."""
ANSWERS = {"1": "accepted", "2": "refused"}
SAYS = {
    "ringing": ("正在呼叫", "is rung"),
    "answered": ("已接听", "has picked up"),
    "busy": ("占线或拒接", "is engaged"),
    "no_answer": ("无人接听", "does not answer"),
    "unreachable": ("没有接通", "cannot be reached"),
    "ended": ("通话结束", "the call is over"),
    "accepted": ("按1，接受", "pressed 1, takes it"),
    "refused": ("按2，不能处理", "pressed 2, cannot"),
    "known": ("按键，已知悉", "pressed a key, has heard it"),
    "none": ("没有按键", "pressed no key"),
}
"""State of the call, or answer → its words in the matter's history."""


class Purpose(StrEnum):
    """Why the house calls."""

    EMERGENCY = "emergency"
    CALLBACK = "callback"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True)
class DialOrder:
    """A desk's command `dial`, checked."""

    to: str
    purpose: Purpose
    text: str
    site: str
    language: str
    ticket: str | None
    to_staff: str | None
    ring_s: float
    question: str

    @classmethod
    def read(cls, command: dict[str, Any], default_site: str) -> DialOrder:
        """Raises CallCenterError `line.bad_dial` for a command that lacks something."""
        try:
            order = cls(
                to=str(command["to"]),
                purpose=Purpose(command["purpose"]),
                text=str(command["text"]),
                site=str(command.get("site") or default_site),
                language=str(command.get("language") or "zh")[:2],
                ticket=str(command["ticket"]) if command.get("ticket") else None,
                to_staff=command.get("to_staff"),
                ring_s=min(float(command.get("ring_s") or RING_S), 120.0),
                question=str(command.get("question") or "take"),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise CallCenterError("line.bad_dial", f"a dial command without a good {error}") from error
        if not (order.to.lstrip("+").isalnum() and order.text and order.question in QUESTIONS):
            raise CallCenterError("line.bad_dial", "a dial command needs a number, a text and a known question")
        return order


class OutboundCall:
    """One call of ours, made by `dial`; `run` it as a task."""

    def __init__(self, house: House, order: DialOrder, leg: int) -> None:
        self.id: UUID = uuid7()
        self._house, self._order, self._leg = house, order, leg
        self._prompts = house.prompts(order.language)
        self._records = CallJournal(house, self.id, order.site)
        self._changed = asyncio.Event()
        self._confirmed = False
        self._gone: Gone | None = None
        self._rang = False
        self._ear: Ear | None = None
        self._verdict: str | None = None

    @classmethod
    async def dial(cls, house: House, order: DialOrder) -> OutboundCall:
        """Start ringing. Raises TelephonyError without an edge or a free leg, which is no fault of the person's."""
        uri = house.person_address(order.to)
        if uri is None:
            raise TelephonyError("telephony.no_edge", "there is no edge to call by")
        return cls(house, order, await house.endpoint.dial(uri))

    def settle(self, text: str) -> None:
        """What the desk says came of it: the last sentence; whoever has not answered yet is rung no more."""
        self._verdict = text
        self._changed.set()

    def take(self, event: Event) -> None:
        """An event of the leg."""
        match event:
            case Progress(status=status):
                self._rang = self._rang or status >= 180
            case MediaUp(voice=voice):
                stream = TranscriberClient(self._house.transcriber_url()).open()
                self._ear = Ear(voice, stream, on_final=_ignore, on_partial=_ignore, on_gap=_ignore)
            case Confirmed():
                self._confirmed = True
            case Held(on=on) if self._ear is not None:
                self._ear.held = on
            case Key() if self._ear is not None:
                self._ear.press(event)
            case Gone():
                self._gone = event
                if self._ear is not None:
                    self._ear.close()
            case _:
                return
        self._changed.set()

    async def run(self) -> None:
        """Ring, tell, ask. Never raises but for cancellation."""
        self._house.watch(self._leg, self.take)
        self._note("ringing")
        voicing = asyncio.create_task(self._voiced())
        try:
            await self._talk(voicing)
        finally:
            voicing.cancel()
            self._house.endpoint.hangup(self._leg, 487)
            if self._ear is not None:
                self._ear.close()
            self._house.watch(self._leg, None)

    async def _voiced(self) -> list[Clip]:
        """What is read out: the matter, or where it stands while no voice can be had."""
        try:
            await self._keep(self._order.text)
        except CallCenterError as error:
            log.warning("matter_not_read_out", reason=error.code)
            return self._prompts.clips("person_unread")
        return [Clip("matter", self._order.text, None, 300)]

    async def _keep(self, text: str) -> None:
        wav = await self._house.services.say(text, language=self._order.language, within_s=VOICE_WITHIN_S)
        self._house.sounds.keep(text, self._order.language, wav)

    async def _last_sentence(self, answer: str) -> list[Clip]:
        """The desk's verdict on a key, where it comes in time; else thanks."""
        if answer != "none":
            with contextlib.suppress(TimeoutError, CallCenterError):
                async with asyncio.timeout(VERDICT_WITHIN_S):
                    while self._verdict is None and self._gone is None:
                        self._changed.clear()
                        await self._changed.wait()
                    if self._verdict is not None:
                        await self._keep(self._verdict)
                        return [Clip("verdict", self._verdict, None)]
        return self._prompts.clips("person_thanks")

    async def _talk(self, voicing: asyncio.Task[list[Clip]]) -> None:
        if not await self._answered():
            busy = self._gone is not None and self._gone.status in BUSY_STATUSES
            self._note("busy" if busy else "no_answer" if self._rang else "unreachable")
            self._answer("none")
            return
        self._note("answered")
        assert self._ear is not None
        hearing = asyncio.create_task(self._ear.run())
        told = False
        try:
            phone = CallPhone(self._ear, self._wires())
            answer = await self._ask(phone, await voicing)
            self._answer(answer)
            told = True
            await phone.play(await self._last_sentence(answer), barge_in=False)
            await phone.hangup("done")
        except CallerGone:
            pass
        finally:
            if not told:
                self._answer("none")
            self._note("ended")
            self._ear.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await hearing

    async def _answered(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._order.ring_s):
                while self._gone is None and not (self._confirmed and self._ear is not None):
                    if self._verdict is not None:
                        return False
                    self._changed.clear()
                    await self._changed.wait()
        return self._confirmed and self._gone is None and self._ear is not None

    async def _ask(self, phone: CallPhone, matter: list[Clip]) -> str:
        """The matter, and the question, at most three times; only keys count, a mailbox presses none. Who presses while
        it is read out has answered, and need not hear the rest."""
        clips = matter + self._prompts.clips(QUESTIONS[self._order.question])
        for _ in range(TOLD_AT_MOST):
            try:
                await phone.play(clips, barge_in=False, stop_keys="".join(ANSWERS))
                key = self._pressed() or await phone.gather(max_digits=1, timeout_s=KEY_WITHIN_S, end_key=None)
            except CallerGone:
                key = self._pressed()
                if not key:
                    raise
            if key in ANSWERS:
                return ANSWERS[key]
        return "none"

    def _pressed(self) -> str:
        """The first key that answers, of those that nobody has looked at yet."""
        assert self._ear is not None
        return next((pressed.key for pressed in self._ear.keys if pressed.key in ANSWERS), "")

    def _wires(self) -> PhoneWires:
        async def refuse(*_: Any) -> Any:
            raise CallCenterError("line.not_a_caller", "a call of ours opens no ticket")

        return PhoneWires(
            records=_Unwritten(), sounds=self._house.sounds, language=self._order.language, understand=refuse,
            open_ticket=refuse, bridge=_NoBridge(), hangup=lambda: self._house.endpoint.hangup(self._leg),
        )  # fmt: skip

    def _note(self, state: str) -> None:
        order = self._order
        number = None if order.to_staff else order.to
        said = {"note": order.text} if state == "answered" else {}
        self._write(RecordKind.PERSON_CALL, state, {"number": number, "state": state, **said})

    def _answer(self, answer: str) -> None:
        known = answer != "none" and self._order.question == "know"
        body = {"answer": answer, "question": self._order.question}
        self._write(RecordKind.PERSON_ANSWER, "known" if known else answer, body)

    def _write(self, kind: RecordKind, words: str, body: dict[str, Any]) -> None:
        """A record of this call; its sentence stands in the matter's history as it is."""
        order, (zh, en) = self._order, SAYS[words]
        site = self._house.site(order.site)
        who_zh = who_en = order.to_staff or ""
        if site is not None and site.organisation.knows(who_zh):
            person = site.organisation.person(who_zh)
            who_zh, who_en = person.called(), person.called("en")
        sentences = {"zh": f"电话通知{who_zh}：{zh}。", "en": f"By telephone, {who_en}: {en}."}
        about = {"purpose": order.purpose.value, "ticket": order.ticket, "to_staff": order.to_staff}
        self._records.write(kind, {**about, **body, **sentences})


class _Unwritten:
    """What our own voice says to a person of ours is not journalled word by word."""

    def write(self, kind: RecordKind, body: dict[str, Any]) -> None:
        """Nothing."""

    async def settle(self) -> None:
        """Nothing."""

    def take_number(self) -> str | None:
        """None."""
        return None


class _NoBridge:
    async def transfer(self, extension: str, timeout_s: float, ear: Ear) -> Any:
        """Not for calls of ours."""
        del extension, timeout_s, ear
        raise CallCenterError("line.not_a_caller", "a call of ours is not transferred")


def _ignore(_: object) -> None:
    """Words of a person of ours are not written down."""
