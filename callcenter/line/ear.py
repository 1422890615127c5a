"""Hears one leg: takes its frames every 20 ms, tells speech from silence, feeds the transcriber, collects the words."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from callcenter.line.transcript import Transcript
from callcenter.speech.client import TranscriberStream
from callcenter.speech.events import Away, Final, Partial
from callcenter.telephony.events import Key
from callcenter.telephony.voice import FRAME_MS, SILENCE, Voice
from callcenter.telephony.voice_activity import VoiceActivity


class LegGone(Exception):  # noqa: N818 — it is an outcome, not a fault
    """The leg's audio is over."""


@dataclass
class Turn:
    """What came since the last turn ended."""

    spoke: bool = False
    utterances: list[Final] = field(default_factory=list)

    def text(self, language: str) -> str:
        """The words; Chinese is written without spaces."""
        glue = "" if language == "zh" else " "
        return glue.join(u.text for u in self.utterances if u.text)


class Ear:
    """One leg's hearing. `run` it as a task; it ends when `close` is called.

    Waiting is counted in the call's own time (`tick`), however seldom a busy machine lets us look, and a caller on hold
    has all the time in the world.
    """

    def __init__(
        self,
        voice: Voice,
        stream: TranscriberStream,
        *,
        on_final: Callable[[Final], None],
        on_partial: Callable[[Partial], None],
        on_gap: Callable[[Away], None],
    ) -> None:
        self.voice = voice
        self.activity = VoiceActivity()
        self.turn = Turn()
        self.held = False
        self.gone = False
        self.keys: deque[Key] = deque()
        self._on_final, self._on_partial = on_final, on_partial
        self.transcript = Transcript(stream, on_final=self._final, on_partial=self._partial, on_gap=on_gap)
        self._quiet_words_ms = 0
        self._tick = asyncio.Event()
        self._fed_ticks = 0
        self._finished: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Take frames as they come until the leg is gone."""
        words = asyncio.create_task(self.transcript.run())
        try:
            while not self.gone:
                await asyncio.sleep(FRAME_MS / 1000)
                self._drain()
            await self.finish()
            await words
        finally:
            words.cancel()

    def _drain(self) -> None:
        came = False
        heard = self.voice.heard
        while heard:
            self._keep_time(self.voice.ticks - len(heard))
            frame = heard.popleft()
            if self.activity.feed(frame, we_speak=bool(self.voice.to_say)):
                self.turn.spoke = True
            self.transcript.feed(frame)
            self._fed_ticks += 1
            self._quiet_words_ms += FRAME_MS
            came = True
        if came:
            self._wake()

    def _keep_time(self, at_tick: int) -> None:
        """Frames that were lost while the loop stood still are silence for the transcriber: its time is the call's."""
        while self._fed_ticks < at_tick:
            self.transcript.feed(SILENCE)
            self._fed_ticks += 1

    def _wake(self) -> None:
        self._tick.set()
        self._tick = asyncio.Event()

    def _final(self, final: Final) -> None:
        self.turn.utterances.append(final)
        self._on_final(final)

    def _partial(self, partial: Partial) -> None:
        self._quiet_words_ms = 0
        self._on_partial(partial)

    @property
    def speech_came(self) -> bool:
        """Whether anything was said in this turn, by its loudness or by words that were recognised."""
        return self.turn.spoke or self.transcript.pending or bool(self.turn.utterances)

    @property
    def silent_ms(self) -> int:
        """How long nothing was said; for somebody too quiet to be told from noise, since the last new word."""
        return self.activity.silent_ms if self.turn.spoke else self._quiet_words_ms

    async def tick(self) -> int:
        """Return at the next frames (about every 20 ms); how long that took, in ms of the call's own time.

        Raises LegGone when there will be none.
        """
        before_ms = self.voice.now_ms
        if not self.gone:
            await self._tick.wait()
        if self.gone:
            raise LegGone
        return self.voice.now_ms - before_ms

    def press(self, key: Key) -> None:
        """A key of this leg."""
        self.keys.append(key)

    def close(self) -> None:
        """The leg is gone. May be called twice."""
        if not self.gone:
            self._drain()
            self.gone = True
            self._wake()

    async def finish(self) -> None:
        """After `close`: the last words have come, or are noted as missing. May be called by several."""
        if self._finished is None:
            self._finished = asyncio.create_task(self.transcript.finish())
        await asyncio.shield(self._finished)

    async def end_turn(self) -> Turn:
        """Everything heard since the last turn's end, its last words waited for; the next turn begins."""
        if self.gone:
            await self.finish()
        elif self.turn.spoke or self.transcript.pending:
            await self.transcript.flush()
        turn, self.turn = self.turn, Turn()
        turn.spoke = turn.spoke or bool(turn.utterances)
        self.activity.reset()
        return turn
