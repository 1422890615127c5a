"""A person's scripted phone, inside the child process: registers, answers, plays, presses, hangs up."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from callcenter.telephony.caller_child import Ears, Party, audio_of, commands, perform, save, tell
from callcenter.telephony.endpoint import Endpoint
from callcenter.telephony.events import Event, Incoming, Registered
from callcenter.telephony.exchange import ExchangeSettings
from callcenter.telephony.plan import PhonePlan
from callcenter.telephony.voice import to_frames
from callcenter.telephony.wav import read_prompt


class ScriptedPhone:
    """Takes one call after the other until told to stop."""

    def __init__(self, plan: PhonePlan, scratch: Path) -> None:
        self._plan = plan
        self._frames = to_frames(read_prompt(Path(plan.play))) if plan.play else []
        self._audio = [audio_of(turn, plan.language, plan.voice) for turn in plan.turns]
        self._calls: asyncio.Queue[Incoming] = asyncio.Queue()
        self._party = Party()
        settings = ExchangeSettings(
            user=plan.user,
            bind_host=plan.bind_host,
            sip_port=plan.sip_port,
            registrar=plan.registrar,
            password=plan.password,
            max_callers=1,
            record_dir=scratch if plan.record else None,
            watchdog_s=None,
            accept=plan.refuse_status is None,
            refuse_status=plan.refuse_status or 503,
        )
        self._endpoint = self._party.endpoint = Endpoint(settings, self._take)

    def _take(self, event: Event) -> None:
        match event:
            case Registered(status=200):
                tell("registered")
            case Registered(status=status):
                tell("error", reason=f"the registrar answered {status}")
            case Incoming():
                self._party.leg = event.leg
                self._calls.put_nowait(event)
                tell("ringing", number=event.request.from_number)
            case _:
                self._party.take(event)

    async def run(self) -> None:
        """Be a phone until told to stop, or for `max_s`."""
        self._endpoint.start()
        if self._plan.registrar is None:
            tell("registered", port=self._endpoint.sip_port)
        told = commands(self._party, self._plan.language, self._plan.voice)
        tasks = [asyncio.create_task(self._answer()), asyncio.create_task(told)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._plan.max_s):
                await self._party.stop.wait()
        for task in tasks:
            task.cancel()
        await self._endpoint.stop()

    async def _answer(self) -> None:
        party, plan = self._party, self._plan
        while True:
            call = await self._calls.get()
            for state in (party.confirmed, party.media_up, party.gone):
                state.clear()
            party.ended_by = "nobody"
            if plan.answer_after_s is None:
                continue
            self._endpoint.answer(call.leg, call.rang_at + plan.answer_after_s)
            talk = asyncio.create_task(self._converse())
            await party.gone.wait()
            talk.cancel()
            if plan.record and call.record_as:
                await save(call.record_as, plan.record)
            tell("saved")

    async def _converse(self) -> None:
        party, plan = self._party, self._plan
        await party.media_up.wait()
        await party.confirmed.wait()
        ears = party.ears
        assert ears is not None
        listening = [asyncio.create_task(ears.run()), asyncio.create_task(_tell_heard(ears))]
        try:
            ears.voice.say(self._frames)
            if plan.keys:
                await ears.quiet()
                if party.leg is not None:
                    self._endpoint.press(party.leg, plan.keys)
            for turn, frames in zip(plan.turns, self._audio, strict=True):
                await perform(party, turn, frames)
            if plan.hangup_after_s is not None:
                await asyncio.sleep(plan.hangup_after_s)
                party.hangup()
            await party.gone.wait()
        finally:
            for task in listening:
                task.cancel()


async def _tell_heard(ears: Ears) -> None:
    await ears.spoke.wait()
    tell("heard")
