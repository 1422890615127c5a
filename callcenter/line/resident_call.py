"""Calls of ours to residents: the call-back that was promised (R22), the follow-up call (R23).

Once picked up, it is a call like any other: the same ear, recording, records and scripts (`dialplans/callback.*`,
`dialplans/follow-up.*`); only its ringing goes the other way. What came of it is journalled as `person.answer`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from callcenter.dialplan.context import CallContext, OpenMatter
from callcenter.dialplan.interpreter import run
from callcenter.dialplan.outcome import EndedBy, Outcome
from callcenter.dialplan.phone import OpenedTicket
from callcenter.domain.codec import to_plain
from callcenter.domain.labels import Understanding
from callcenter.domain.numbers import canonical
from callcenter.domain.records import RecordKind
from callcenter.domain.understanding.announcements import announced
from callcenter.errors import CallCenterError, TelephonyError
from callcenter.line.bridge import BUSY_STATUSES
from callcenter.line.call import CallerCall, CallState
from callcenter.line.house import CallJournal, House
from callcenter.line.outbound import Purpose
from callcenter.line.phone import CallPhone
from callcenter.line.surroundings import context_of
from callcenter.log import get_logger
from callcenter.speech.events import Final
from callcenter.telephony.events import Answered, Confirmed, Event, Gone, Incoming, Progress
from callcenter.telephony.sip import Request

log = get_logger("line.resident_call")
RING_S = 40.0
WORDS_ENOUGH = 4
"""Characters said, below which a call-back that hung up brought nothing but a greeting."""
SCRIPTS = {Purpose.CALLBACK: "callback", Purpose.FOLLOW_UP: "follow-up"}
"""Purpose → script; its language follows after a point."""
WHY = {Purpose.CALLBACK: ("给住户回电", "Call-back"), Purpose.FOLLOW_UP: ("电话回访", "Follow-up call")}
SENTENCES = {
    "ringing": ("正在呼叫。", "the resident is rung."),
    "answered": ("住户已接听。", "the resident has answered."),
    "busy": ("住户占线或拒接。", "the resident is engaged."),
    "no_answer": ("无人接听。", "nobody answered."),
    "unreachable": ("没有接通。", "it did not get through."),
}
"""State of the call → its sentence in the matter's history."""
ANSWERS = {
    "bridged": ("已与我们的人通话。", "the resident has spoken to a person."),
    "heard": ("已听取住户的说明。", "the resident was heard."),
    "solved": ("住户说已解决。", "the resident says it is solved."),
    "unsolved": ("住户说没有解决。", "the resident says it is not solved."),
    "wrong_number": ("号码有误。", "a wrong number."),
    "none": ("没有得到答复。", "no answer was given."),
}
"""What came of the call → its sentence in the matter's history."""
_NUMBER = re.compile(r"\+?\d{3,20}")


@dataclass(frozen=True)
class ResidentOrder:
    """A desk's command `dial` for a resident, checked. `order` names it in every record of what comes of it."""

    to: str
    purpose: Purpose
    site: str
    language: str
    ticket: str
    order: str
    ring_s: float
    bridge_to: str | None
    """Extension of the person in charge, rung once the resident is there."""
    about: OpenMatter | None
    flags: frozenset[str]

    @property
    def script(self) -> str:
        """Name of its dialplan."""
        return f"{SCRIPTS[self.purpose]}.{self.language}"

    @classmethod
    def read(cls, command: dict[str, Any], default_site: str) -> ResidentOrder:
        """Raises CallCenterError `line.bad_dial` for a command that lacks something."""
        try:
            told = command.get("about")
            order = cls(
                to=str(command["to"]),
                purpose=Purpose(command["purpose"]),
                site=str(command.get("site") or default_site),
                language=str(command.get("language") or "zh")[:2],
                ticket=str(command["ticket"]),
                order=str(command["order"]),
                ring_s=min(float(command.get("ring_s") or RING_S), 90.0),
                bridge_to=command.get("bridge_to") or None,
                about=OpenMatter(str(command["ticket"]), told["category"], "", "") if told else None,
                flags=frozenset(map(str, command.get("flags") or ())),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise CallCenterError("line.bad_dial", f"a dial command without a good {error}") from error
        if not _NUMBER.fullmatch(order.to) or order.purpose not in SCRIPTS:
            raise CallCenterError("line.bad_dial", "a resident's call needs a number of figures and its purpose")
        return order


class ResidentCall(CallerCall):
    """One call to a resident. Made by `dial`; `take`, `run`, `goodbye` and `end` are those of a caller's call."""

    def __init__(self, house: House, order: ResidentOrder, leg: int, record_as: str | None) -> None:
        request = Request(order.to, house.settings.site.default, "")
        super().__init__(house, Incoming(leg, request, time.monotonic(), record_as, 0.0))
        self._order = order
        self._site = order.site
        self._plan = house.dialplans[order.script]
        self._language = self._plan.language
        self._number = canonical(order.to)
        self._records = CallJournal(house, self.id, order.site)
        self._rang = False
        self._told = False
        self._words: list[str] = []

    @classmethod
    async def dial(cls, house: House, order: ResidentOrder) -> ResidentCall:
        """Start ringing; `begin` it at once. Raises TelephonyError without an edge, a script or a free leg."""
        uri = house.person_address(order.to)
        if uri is None:
            raise TelephonyError("telephony.no_edge", "there is no edge to call by")
        if order.script not in house.dialplans:
            raise TelephonyError("line.no_script", f"no dialplan {order.script!r}", mend="add it to dialplans/")
        folder = None if house.low_disk else house.record_dir
        record_as = str(folder / f"out-{uuid4().hex}") if folder is not None else None
        leg = await house.endpoint.dial(uri, record_as=record_as)
        return cls(house, order, leg, record_as)

    def begin(self) -> None:
        """Journal the ringing, and listen to the leg."""
        order, house = self._order, self._house
        self._records.write(
            RecordKind.CALL_RINGING,
            {
                "direction": "out", "purpose": order.purpose.value, "ticket": order.ticket, "order": order.order,
                "from_number": None, "to_number": self._number, "line": house.number,
                "node": house.settings.node.name, "sip_call_id": None, "dialplan": self._plan.name,
                "invite_to_180_ms": None,
            },
        )  # fmt: skip
        self._note("ringing")
        house.link.live(self.id, "ringing")
        self._begin_note()
        house.watch(self.leg, self.take)

    def take(self, event: Event) -> None:
        """An event of this call's leg."""
        match event:
            case Progress(status=status):
                self._rang = self._rang or status >= 180
            case Confirmed(at=at):
                self._picked_up(at)
        super().take(event)

    def _picked_up(self, at: float) -> None:
        if self._answered is not None:
            return
        self._answered = Answered(self.leg, at, "resident")
        self.state = CallState.TALKING
        waited_ms = round((at - self._incoming.rang_at) * 1000, 1)
        body = {"rings": None, "answer_ms": waited_ms, "late_ms": None, "by": "resident"}
        self._records.write(RecordKind.CALL_ANSWERED, body)
        self._note("answered")
        self._house.link.live(self.id, "talking")

    # the call

    async def _talk(self) -> None:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._order.ring_s):
                    await self._until_up()
            if self._answered is None or self.ear is None:
                self._not_reached()
                return
            phone = self._phone = CallPhone(self.ear, self._wires())
            self._script = asyncio.create_task(run(self._plan, phone, self._context(), on_step=self._step))
            with contextlib.suppress(asyncio.CancelledError):
                self.outcome = await self._script
            if self.outcome is not None:
                await self._answered_with(self.outcome)
        finally:
            if not self._told:
                self._answer("none")

    async def _answered_with(self, outcome: Outcome) -> None:
        """What the resident said is kept even where the script did not come to listen to it (R5); a mailbox's words are
        nobody's answer (R22)."""
        words = "，".join(self._words)
        answer = answer_of(self._order.purpose, outcome)
        if self._order.purpose is Purpose.CALLBACK and answer in ("heard", "none"):
            enough = answer == "heard" or len(words) >= WORDS_ENOUGH
            answer = "heard" if enough and not announced(words) else "none"
        if answer == "heard" and outcome.ticket is None:
            await self._open_ticket(await self._understand(words), {"text": words}, datetime.now(UTC))
        self._answer(answer, outcome)

    def _heard(self, final: Final, leg: str) -> None:
        if leg == "caller" and final.text:
            self._words.append(final.text if self._language == "en" else final.text.replace(" ", ""))
        super()._heard(final, leg)

    async def _until_up(self) -> None:
        while not (self._over.is_set() or (self.ear is not None and self._answered is not None)):
            self._up.clear()
            await self._up.wait()

    def _not_reached(self) -> None:
        gone: Gone | None = self._gone
        busy = gone is not None and gone.status in BUSY_STATUSES
        state = "busy" if busy else "no_answer" if self._rang else "unreachable"
        self._end_reason = self._end_reason or state
        self._note(state)

    def _context(self) -> CallContext:
        order = self._order
        site = self._house.site(self._site)
        context = context_of(site, self._number, self._language, datetime.now(UTC))
        return replace(
            context, operator_extension=order.bridge_to, open_matters=(), about=order.about, flags=order.flags
        )

    async def _open_ticket(self, labels: Understanding, fields: dict[str, Any], at: datetime) -> OpenedTicket:
        """What the resident tells belongs to the matter that we call about: nothing is opened."""
        del at
        if not announced("，".join(self._words)):
            fields = {name: value for name, value in fields.items() if name != "callback_by"}
            body = {"ticket": self._order.ticket, "labels": to_plain(labels), "fields": fields}
            self._records.write(RecordKind.TICKET_AMENDED, body)
            await self._records.settle()
        return OpenedTicket(self._order.ticket, True, "", "", labels.department.value, datetime.now(UTC), {})

    # what came of it

    def _note(self, state: str) -> None:
        self._records.write(RecordKind.PERSON_CALL, {**self._who(), "state": state, **self._sentence(SENTENCES[state])})

    def _sentence(self, words: tuple[str, str]) -> dict[str, str]:
        zh, en = WHY[self._order.purpose]
        return {"zh": f"{zh}：{words[0]}", "en": f"{en}: {words[1]}"}

    def _answer(self, answer: str, outcome: Outcome | None = None) -> None:
        self._told = True
        score = outcome.answers.get("score") if outcome is not None else None
        body = {
            **self._who(), "answer": answer, "score": int(score) if score else None,
            "words": "，".join(self._words), **self._sentence(ANSWERS[answer]),
        }  # fmt: skip
        self._records.write(RecordKind.PERSON_ANSWER, body)

    def _who(self) -> dict[str, Any]:
        order = self._order
        return {
            "purpose": order.purpose.value, "ticket": order.ticket, "order": order.order, "to_staff": None,
            "number": self._number,
        }  # fmt: skip


def answer_of(purpose: Purpose, outcome: Outcome) -> str:
    """`bridged`, `wrong_number`; of a call-back `heard`; of a follow-up `solved`, `unsolved`; else `none`."""
    if outcome.ended_by is EndedBy.OPERATOR:
        return "bridged"
    if outcome.reason == "wrong_number":
        return "wrong_number"
    if purpose is Purpose.FOLLOW_UP:
        return {"yes": "solved", "no": "unsolved"}.get(outcome.answers.get("solved", ""), "none")
    return "heard" if outcome.fields.get("text") else "none"
