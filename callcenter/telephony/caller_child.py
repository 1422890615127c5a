"""The process of one scripted caller or phone: reads a plan from standard input, writes events to standard output."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from callcenter.errors import CallCenterError, TelephonyError
from callcenter.log import setup_logging
from callcenter.telephony.endpoint import Endpoint
from callcenter.telephony.events import Confirmed, Event, Gone, Held, Key, MediaUp, Progress
from callcenter.telephony.exchange import ExchangeSettings
from callcenter.telephony.plan import Action, CallPlan, PhonePlan, Turn, When
from callcenter.telephony.recorder import CALLER_SUFFIX, OURS_SUFFIX
from callcenter.telephony.voice import FRAME_MS, Voice, to_frames
from callcenter.telephony.voice_activity import VoiceActivity
from callcenter.telephony.wav import interleave, read_prompt, read_track, track_finished, write_wav

QUIET_MS = 1200
"""The other side has fallen silent when nothing was heard for this long (prompts pause 320 ms)."""
QUIET_LIMIT_S = 12.0
"""If the other side never speaks, a turn begins after this."""
RING_S = 5.0
TRANSCRIBER_TIMEOUT_S = 10.0


def tell(event: str, **fields: Any) -> None:
    """One event to the parent."""
    print(json.dumps({"event": event, **fields}, ensure_ascii=False), flush=True)


class Ears:
    """Follows the other side of one call: speaking or silent, what was said, the longest silence of both."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.activity = VoiceActivity()
        self.spoke = asyncio.Event()
        self.heard_since_turn = False
        self.longest_silence_ms = 0
        self.frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._silence_ms = 0

    async def run(self) -> None:
        """Take frames as they come until cancelled."""
        while True:
            await asyncio.sleep(FRAME_MS / 1000)
            while self.voice.heard:
                self._take(self.voice.heard.popleft())

    def _take(self, frame: bytes) -> None:
        talking = bool(self.voice.to_say)
        self.frames.put_nowait(frame)
        if self.activity.feed(frame, we_speak=talking):
            self.heard_since_turn = True
            self.spoke.set()
        self._silence_ms = 0 if talking or self.activity.speaking else self._silence_ms + FRAME_MS
        self.longest_silence_ms = max(self.longest_silence_ms, self._silence_ms)

    async def quiet(self) -> None:
        """Return when the other side has spoken and fallen silent, or never spoke for QUIET_LIMIT_S."""
        waited_ms = 0
        while not (self.heard_since_turn and self.activity.silent_ms >= QUIET_MS):
            await asyncio.sleep(FRAME_MS / 1000)
            waited_ms = 0 if self.heard_since_turn else waited_ms + FRAME_MS
            if waited_ms >= QUIET_LIMIT_S * 1000:
                return


async def transcribe(url: str, ears: Ears) -> str:
    """Send what is heard to a vosk-server; returns the text of everything."""
    from callcenter.speech.client import TranscriberClient
    from callcenter.speech.events import Final

    stream = TranscriberClient(url).open()

    async def send() -> None:
        while (frame := await ears.frames.get()) is not None:
            stream.feed(frame)
        await stream.flush(TRANSCRIBER_TIMEOUT_S)
        await stream.close()

    sender = asyncio.create_task(send())
    texts = [event.text async for event in stream if isinstance(event, Final)]
    await sender
    return " ".join(text for text in texts if text)


class Party:
    """One call in this process, as events and commands see it."""

    def __init__(self) -> None:
        self.endpoint: Endpoint | None = None
        self.leg: int | None = None
        self.ears: Ears | None = None
        self.media_up = asyncio.Event()
        self.confirmed = asyncio.Event()
        self.gone = asyncio.Event()
        self.stop = asyncio.Event()
        self.ended_by = "nobody"
        self.status = 0
        self.ringing_at: float | None = None
        self.answered_at: float | None = None
        self.gone_at: float | None = None

    def hangup(self) -> None:
        """Hang up from our side."""
        if self.leg is not None and self.endpoint is not None:
            self.ended_by = "us"
            self.endpoint.hangup(self.leg, 487)

    def take(self, event: Event) -> None:
        """An event of the telephone."""
        match event:
            case Progress(status=status, at=at) if status >= 180:
                self.ringing_at = self.ringing_at or at
                tell("ringing", status=status)
            case MediaUp(voice=voice):
                self.ears = Ears(voice)
                self.media_up.set()
            case Confirmed(at=at):
                self.answered_at = at
                self.status = 200
                self.confirmed.set()
                tell("answered")
            case Key(key=key, by=by):
                tell("key", key=key, by=by)
            case Held(on=on):
                tell("held", on=on)
            case Gone(status=status, confirmed=confirmed, at=at):
                self.gone_at = at
                if not confirmed:
                    self.status = status
                elif self.ended_by == "nobody":
                    self.ended_by = "them"
                self.leg = None
                self.gone.set()
                tell("gone", status=status, by=self.ended_by)
            case _:
                pass


async def commands(party: Party, language: str, voice: str) -> None:
    """Act on what the parent writes; its end is ours."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = line.decode().strip()
        if command == "hangup":
            party.hangup()
        elif command.startswith("press ") and party.leg is not None and party.endpoint is not None:
            party.endpoint.press(party.leg, command.removeprefix("press "))
        elif command.startswith("say ") and party.leg is not None:
            turn = Turn(Action.SAY, command.removeprefix("say "), When.NOW)
            await perform(party, turn, await asyncio.to_thread(audio_of, turn, language, voice))
            tell("said")
        elif command == "stop":
            break
    party.stop.set()


def audio_of(turn: Turn, language: str, voice: str) -> list[bytes]:
    """Frames of a turn that is heard; [] for the others."""
    if turn.action is Action.PLAY:
        return to_frames(read_prompt(Path(turn.value)))
    if turn.action is Action.SAY:
        from callcenter.speech.say import synthesise

        return to_frames(synthesise(turn.value, language, voice))
    return []


async def perform(party: Party, turn: Turn, frames: list[bytes]) -> None:
    """One turn of the caller."""
    assert party.endpoint is not None
    assert party.ears is not None
    ears, leg = party.ears, party.leg
    if turn.when is When.QUIET:
        await ears.quiet()
    elif turn.when is When.TALKING:
        ears.spoke.clear()
        await ears.spoke.wait()
    await asyncio.sleep(turn.after_s)
    if leg is None:
        return
    tell("turn", action=turn.action, at_ms=ears.voice.now_ms, at_s=round(time.monotonic(), 4))
    match turn.action:
        case Action.SAY | Action.PLAY:
            ears.voice.say(frames)
            while ears.voice.to_say:  # noqa: ASYNC110 — the clock thread empties it and may not do more
                await asyncio.sleep(FRAME_MS / 1000)
        case Action.KEYS:
            party.endpoint.press(leg, turn.value)
        case Action.INFO_KEYS:
            party.endpoint.send_info(leg, "application/dtmf-relay", f"Signal={turn.value}\r\nDuration=160\r\n")
        case Action.HOLD:
            party.endpoint.hold(leg)
        case Action.UNHOLD | Action.REINVITE:
            party.endpoint.unhold(leg)
        case Action.HANGUP:
            party.hangup()
        case Action.WAIT:
            pass
    ears.heard_since_turn = False


async def save(base: str, path: str) -> None:
    """Join the recorder's two tracks into one stereo WAV: heard, said."""
    tracks = [Path(base + suffix) for suffix in (CALLER_SUFFIX, OURS_SUFFIX)]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(3):
            while not all(track_finished(t) for t in tracks):  # noqa: ASYNC110 — pjmedia tells nobody
                await asyncio.sleep(FRAME_MS / 1000)
    write_wav(Path(path), interleave(*(read_track(t) for t in tracks)), channels=2)


async def run_call(plan: CallPlan, scratch: Path) -> None:
    """Dial, do the turns, wait for the end, report."""
    audio = [await asyncio.to_thread(audio_of, t, plan.language, plan.voice) for t in plan.turns]
    party = Party()
    endpoint = party.endpoint = Endpoint(ExchangeSettings(user=plan.from_number, bind_host=plan.bind_host), party.take)
    endpoint.start()
    base = str(scratch / "call") if plan.record else None
    dialled_at = time.monotonic()
    party.leg = await endpoint.dial(plan.uri, record_as=base)
    tell("dialled")
    done = 0
    heard: asyncio.Task[str] | None = None

    async def talk() -> None:
        nonlocal done, heard
        await party.media_up.wait()
        await party.confirmed.wait()
        assert party.ears is not None
        tasks.append(asyncio.create_task(party.ears.run()))
        if plan.transcriber_url:
            heard = asyncio.create_task(transcribe(plan.transcriber_url, party.ears))
        for turn, frames in zip(plan.turns, audio, strict=True):
            await perform(party, turn, frames)
            done += 1

    async def give_up() -> None:
        if plan.cancel_after_s is not None:
            await asyncio.sleep(plan.cancel_after_s)
            party.hangup()
        elif plan.hangup_after_s is not None:
            await party.confirmed.wait()
            await asyncio.sleep(plan.hangup_after_s)
            party.hangup()

    async def limit() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(plan.max_s):
                await party.stop.wait()
        party.hangup()

    tasks = [asyncio.create_task(t) for t in (talk(), give_up(), limit(), commands(party, plan.language, plan.voice))]
    await party.gone.wait()
    for task in tasks:
        task.cancel()
    text = ""
    if heard is not None and party.ears is not None:
        party.ears.frames.put_nowait(None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TRANSCRIBER_TIMEOUT_S):
                text = await heard
    if base is not None and plan.record is not None:
        await save(base, plan.record)
    report(plan, party, dialled_at, text, done)
    await endpoint.stop()


def report(plan: CallPlan, party: Party, dialled_at: float, text: str, done: int) -> None:
    """The last event: the fields of CallReport."""

    def since(at: float | None) -> float | None:
        return None if at is None else round((at - dialled_at) * 1000, 1)

    end = party.answered_at or party.gone_at or dialled_at
    rings = 0 if party.ringing_at is None else 1 + int((end - party.ringing_at) / RING_S)
    tell(
        "report",
        status=party.status,
        answered=party.answered_at is not None,
        ringing_ms=since(party.ringing_at),
        answered_ms=since(party.answered_at),
        rings=rings,
        talk_s=round((party.gone_at or end) - end, 2) if party.answered_at else 0.0,
        ended_by=party.ended_by,
        heard=text,
        longest_silence_s=party.ears.longest_silence_ms / 1000 if party.ears else 0.0,
        turns_done=done,
        recording=plan.record,
    )


def _first_line() -> bytes:
    """The plan; read without buffering, since what follows belongs to `commands`."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            break
        line += byte
    return line


async def main() -> None:
    """Entry point of the child."""
    setup_logging("caller", "warning")
    kind = sys.argv[1]
    fields = json.loads(await asyncio.to_thread(_first_line))
    with tempfile.TemporaryDirectory(prefix="callcenter-caller-") as scratch:
        try:
            turns = tuple(
                Turn(Action(t["action"]), t["value"], When(t["when"]), t["after_s"]) for t in fields.pop("turns")
            )
            if kind == "call":
                await run_call(CallPlan(turns=turns, **fields), Path(scratch))
            elif kind == "phone":
                from callcenter.telephony.phone_child import ScriptedPhone

                await ScriptedPhone(PhonePlan(turns=turns, **fields), Path(scratch)).run()
            else:
                raise TelephonyError("caller.kind", f"no such kind of caller: {kind}")
        except CallCenterError as error:
            tell("error", reason=str(error))
    Endpoint.leave()


if __name__ == "__main__":
    asyncio.run(main())
