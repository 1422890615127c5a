"""One caller's call from the first ring to the last record."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from callcenter.dialplan.context import CALLBACK_WITHIN_MIN
from callcenter.dialplan.interpreter import run
from callcenter.dialplan.outcome import EndedBy, Outcome
from callcenter.dialplan.phone import CallerGone, OpenedTicket
from callcenter.domain.codec import to_plain
from callcenter.domain.labels import Understanding
from callcenter.domain.numbers import canonical
from callcenter.domain.records import RecordKind
from callcenter.errors import CallCenterError
from callcenter.line.bridge import PersonBridge
from callcenter.line.ear import Ear
from callcenter.line.emergency import EmergencyWatch
from callcenter.line.house import CallJournal, House
from callcenter.line.phone import CallPhone, PhoneWires
from callcenter.line.recordings import CallNote, update_note, write_note
from callcenter.line.surroundings import context_of
from callcenter.line.tickets import TicketDesk
from callcenter.log import get_logger
from callcenter.node.ids import uuid7
from callcenter.speech.client import TranscriberClient
from callcenter.speech.events import Away, Final, Partial
from callcenter.telephony.events import Answered, Confirmed, Event, Gone, Held, Incoming, Key, MediaUp
from callcenter.telephony.voice import Voice

log = get_logger("line.call")
RING_S = 5.0
"""China's ringback: 1 s on, 4 s off."""
FIRST_RING_S = 1.0
BYE_TIMEOUT_S = 5.0
LAST_WORDS_S = 2.9
"""The goodbye (2.4 s) is over by then; a second signal ends the line within 5 s."""


def answer_due_s(rings: int) -> float:
    """Seconds after 180 at which the policy "answer at ring n" sends 200 (R1)."""
    return FIRST_RING_S + RING_S * (rings - 1)


def rings_begun(waited_s: float) -> int:
    """Whole rings begun after so long a wait."""
    return 1 + int(waited_s / RING_S)


class CallState(Enum):
    """RINGING → TALKING → ENDED; RINGING → ENDED when it was given up."""

    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"


class CallerCall:
    """Runs one call. `take` gets the leg's events; `run` is its task and returns when `call.ended` is written."""

    def __init__(self, house: House, incoming: Incoming) -> None:
        self.id = uuid7()
        self.state = CallState.RINGING
        self.ear: Ear | None = None
        self.outcome: Outcome | None = None
        self.note: CallNote | None = None
        self.leg = incoming.leg
        self._house, self._incoming = house, incoming
        request = incoming.request
        self._site = house.dialled_site(request.to_number)
        self._plan = house.dialplan(request.to_number)
        self._language = self._plan.language
        self._number = canonical(request.from_number)
        self._records = CallJournal(house, self.id, self._site)
        self._tickets = TicketDesk(self._records, self._number, self._language)
        self._phone: CallPhone | None = None
        self._danger = EmergencyWatch(self._language)
        self._alarm: asyncio.Task[None] | None = None
        self._utterances = 0
        self._answered: Answered | None = None
        self._gone: Gone | None = None
        self._up = asyncio.Event()
        self._over = asyncio.Event()
        self._script: asyncio.Task[Outcome] | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._end_reason: str | None = None
        self._parted: asyncio.Event | None = None
        """Set when the goodbye of a line that stops has been said; None while nobody says one."""

    # events of the leg

    def begin(self) -> None:
        """Journal the ringing and say when to answer; at once, in the event's own turn of the loop."""
        request, line = self._incoming.request, self._house.settings.line
        self._house.endpoint.answer(self.leg, self._incoming.rang_at + answer_due_s(line.answer_after_rings))
        self._records.write(
            RecordKind.CALL_RINGING,
            {
                "from_number": self._number, "to_number": request.to_number, "line": self._house.number,
                "node": self._house.settings.node.name, "sip_call_id": request.sip_call_id,
                "dialplan": self._plan.name, "invite_to_180_ms": self._incoming.invite_to_180_ms,
            },
        )  # fmt: skip
        self._house.link.live(self.id, "ringing")
        self._begin_note()

    def _begin_note(self) -> None:
        """What a later line needs to finish this call's recording, should this one die."""
        if self._incoming.record_as is not None:
            self.note = CallNote(Path(self._incoming.record_as), self.id, self._site, self._language, datetime.now(UTC))
            write_note(self.note)

    def take(self, event: Event) -> None:
        """An event of this call's leg."""
        match event:
            case Answered():
                self._note_answer(event)
            case MediaUp(voice=voice):
                self.ear = self._hear(voice, "caller")
                self._hearing = asyncio.create_task(self.ear.run(), name=f"ear-{self.leg}")
                self._up.set()
            case Confirmed():
                self._up.set()
            case Held(on=on, at_ms=at_ms):
                if self.ear is not None:
                    self.ear.held = on
                self._records.write(RecordKind.CALL_HOLD, {"on": on, "at_ms": at_ms})
            case Key(key=key, by=by, at_ms=at_ms):
                self._records.write(RecordKind.CALL_DTMF, {"key": key, "at_ms": at_ms, "by": by})
                if self.ear is not None:
                    self.ear.press(event)
            case Gone():
                self._gone = event
                if self.ear is not None:
                    self.ear.close()
                self._up.set()
                self._over.set()
            case _:
                pass

    def _note_answer(self, event: Answered) -> None:
        self._answered = event
        self.state = CallState.TALKING
        waited_s = event.at - self._incoming.rang_at
        due_s = answer_due_s(self._house.settings.line.answer_after_rings)
        self._records.write(
            RecordKind.CALL_ANSWERED,
            {
                "rings": rings_begun(waited_s), "answer_ms": round(waited_s * 1000, 1),
                "late_ms": round(max(0.0, waited_s - due_s) * 1000, 1), "by": event.by,
            },
        )  # fmt: skip
        self._house.link.live(self.id, "talking")

    def _hear(self, voice: Voice, leg: str) -> Ear:
        def final(final: Final) -> None:
            self._heard(final, leg)

        def partial(partial: Partial) -> None:
            self._house.link.partial(self.id, leg, partial.start_ms, partial.text)
            if leg == "caller" and self._danger.partial(partial.text, voice.now_ms):
                self._raise_alarm(partial.text)

        def gap(away: Away) -> None:
            if leg == "caller":
                self._records.write(RecordKind.CALL_GAP, {"from_ms": away.from_ms, "reason": away.reason})

        stream = TranscriberClient(self._house.transcriber_url()).open()
        return Ear(voice, stream, on_final=final, on_partial=partial, on_gap=gap)

    def _heard(self, final: Final, leg: str) -> None:
        body = {"utterance": self._utterances, "leg": leg, **utterance_json(final)}
        self._utterances += 1
        self._records.write(RecordKind.CALL_HEARD, body)
        if leg == "caller" and self._danger.final(final.text):
            self._raise_alarm("")
        if self.note is not None and leg == "caller":
            self.note = update_note(self.note, text_to_ms=final.end_ms, utterances=self._utterances)

    def _raise_alarm(self, partial: str) -> None:
        """Open the ticket of an emergency at once; the talk goes on and completes it."""
        text = "，".join(t for t in (self._danger.text, partial) if t)

        async def open_now() -> None:
            labels = await self._understand(text)
            if labels.urgency.value != "emergency":
                labels = self._house.understand_alone(text, self._language, self._site)
            await self._open_ticket(labels, {"text": text, "place": str(labels.place)}, datetime.now(UTC))
            log.info("emergency_at_once", call_id=str(self.id))

        if self._tickets.opened is None:
            self._alarm = asyncio.create_task(open_now(), name=f"alarm-{self.leg}")

    # the call

    async def run(self) -> None:
        """See the class. Never raises but for cancellation."""
        try:
            await self._talk()
        except CallCenterError as error:
            log.error("call_failed", call_id=str(self.id), error=str(error))
            self._end_reason = "error"
        finally:
            await self._end()

    async def _talk(self) -> None:
        while not (self._over.is_set() or (self.ear is not None and self._answered is not None)):
            self._up.clear()
            await self._up.wait()
        if self._over.is_set() or self.ear is None:
            return
        phone = self._phone = CallPhone(self.ear, self._wires())
        site = self._house.site(self._site)
        people = self._house.settings.edge.mode != "direct"
        context = context_of(site, self._number, self._language, datetime.now(UTC), phones=people)
        if self._house.low_disk:
            await self._to_people(phone, context.operator_extension)
            return
        if self._answered is not None and self._answered.by == "watchdog":
            await self._sorry(phone)
        self._script = asyncio.create_task(run(self._plan, phone, context, on_step=self._step))
        with contextlib.suppress(asyncio.CancelledError):
            self.outcome = await self._script
        if self.outcome is not None and self.outcome.needs_ticket:
            await self._open_from(self.outcome)

    async def _open_from(self, outcome: Outcome) -> None:
        """The talk ended before the script came to a ticket: open it from what was said (R5).

        Whoever hung up in the middle has not heard what becomes of it, and is called back (R22).
        """
        now, site, fields = datetime.now(UTC), self._house.site(self._site), outcome.fields
        labels = outcome.understanding
        if not labels.kind.confidence:
            labels = await self._understand(str(fields["text"]))
        if outcome.ended_by is EndedBy.CALLER and self._number is not None:
            within = site.rules.call_back_within_min if site is not None else CALLBACK_WITHIN_MIN
            by = now + timedelta(minutes=within)
            fields = {"callback_by": by.isoformat(), **fields, "left": True}
        await self._open_ticket(labels, fields, now)

    def _step(self, name: str) -> None:
        self._records.write(RecordKind.CALL_STEP, {"step": name})

    async def _sorry(self, phone: CallPhone) -> None:
        with contextlib.suppress(CallerGone, CallCenterError):
            await phone.play(self._plan.prompts.clips(self._plan.script.phrases.sorry_waited))

    async def _to_people(self, phone: CallPhone, extension: str | None) -> None:
        """The disk has no room for a recording: the call goes to a person (R5)."""
        phrases = self._plan.script.phrases
        with contextlib.suppress(CallerGone, CallCenterError):
            await phone.play(self._plan.prompts.clips(phrases.wait), barge_in=False)
            if extension is not None:
                await phone.transfer(extension, timeout_s=30)
            for prompt in (phrases.trouble, phrases.goodbye):
                await phone.play(self._plan.prompts.clips(prompt), barge_in=False)
        await phone.hangup("error")

    def _wires(self) -> PhoneWires:
        bridge = PersonBridge(
            self._house.endpoint, self.leg, self._records, self._house.sounds,
            address=self._house.person_address, watch=self._house.watch,
            hear=lambda voice: self._hear(voice, "agent"), staff=self._staff_of,
        )  # fmt: skip
        return PhoneWires(
            records=self._records, sounds=self._house.sounds, language=self._language,
            understand=self._understand, open_ticket=self._open_ticket, bridge=bridge,
            hangup=lambda: self._house.endpoint.hangup(self.leg),
        )  # fmt: skip

    async def _understand(self, text: str) -> Understanding:
        labels = await self._house.understand(text, self._language, self._site)
        self._records.write(RecordKind.CALL_UNDERSTOOD, {"labels": to_plain(labels)})
        return labels

    async def _open_ticket(self, labels: Understanding, fields: dict[str, Any], at: datetime) -> OpenedTicket:
        snapshot = self._house.snapshot
        version = snapshot.version if snapshot is not None else 0
        return await self._tickets.open(self._house.site(self._site), version, labels, fields, at)

    def _staff_of(self, extension: str) -> str | None:
        site = self._house.site(self._site)
        if site is None:
            return None
        return next((p.id for p in site.organisation.staff if p.extension == extension), None)

    # the end

    async def goodbye(self) -> None:
        """End the call now, with a goodbye: the line must stop. Returns when the call is over or 3 s have passed."""
        self._end_reason = "drain"
        self._parted = asyncio.Event()
        if self._script is not None:
            self._script.cancel()
            await asyncio.wait({self._script})
        phone = self._phone
        if phone is None:
            self._house.endpoint.hangup(self.leg, 503)
        else:
            with contextlib.suppress(CallerGone, CallCenterError, TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    await phone.play(self._plan.prompts.clips(self._plan.script.phrases.goodbye), barge_in=False)
            self._house.endpoint.hangup(self.leg)
        self._parted.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._over.wait()

    def end(self, reason: str) -> None:
        """Hang up without a word (a command of the desk)."""
        self._end_reason = reason
        self._house.endpoint.hangup(self.leg)

    async def _end(self) -> None:
        if self._parted is not None:
            await self._parted.wait()
        if not self._over.is_set():
            if self._phone is None or self._phone.ended is None:
                self._house.endpoint.hangup(self.leg)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BYE_TIMEOUT_S):
                    await self._over.wait()
        if self.ear is not None:
            self.ear.close()
        if self._hearing is not None:
            await self._hearing
        if self._alarm is not None:
            await asyncio.wait({self._alarm})
        self.state = CallState.ENDED
        end = self._gone.at if self._gone is not None else time.monotonic()
        answered = self._answered is not None and (self._gone is None or self._gone.confirmed)
        duration = round((end - self._answered.at) * 1000) if self._answered is not None and answered else 0
        if self.missing and self.ear is not None and not self.ear.transcript.was_away:
            self._records.write(RecordKind.CALL_GAP, {"from_ms": self.missing[0][0], "reason": "last words late"})
        body = {"reason": self._reason(), "duration_ms": duration, "answered": answered}
        self._records.write(RecordKind.CALL_ENDED, body)
        self._house.link.live(self.id, "ended")
        if self.note is not None and self.outcome is not None:
            self.note = update_note(self.note, notice_given=self.outcome.notice_given, objected=self.outcome.objected)
        log.info("call_ended", call_id=str(self.id), reason=body["reason"], duration_ms=duration)

    def _reason(self) -> str:
        gone = self._gone
        if self._end_reason is not None:
            return self._end_reason
        if gone is not None and gone.given_up:
            return "no_ack"
        if gone is not None and not gone.confirmed:
            return "cancelled" if gone.status in (487, 603) else "error"
        if self._phone is not None and self._phone.ended is not None:
            return "error" if self._phone.ended == "error" else "script"
        return "caller"

    @property
    def missing(self) -> list[tuple[int, int | None]]:
        """Stretches of the caller's words that must be decoded from the recording."""
        return self.ear.transcript.gaps if self.ear is not None else []

    @property
    def had_gap(self) -> bool:
        """Whether `call.gap` was written, so that `call.transcribed` must close it."""
        return self.ear is not None and (self.ear.transcript.was_away or bool(self.ear.transcript.gaps))


def utterance_json(final: Final) -> dict[str, Any]:
    """Times, text and words of an utterance as the journal has them."""
    return {
        "start_ms": final.start_ms, "end_ms": final.end_ms, "text": final.text,
        "words": [[w.word, w.start_ms, w.end_ms, round(w.confidence, 3)] for w in final.words],
    }  # fmt: skip
