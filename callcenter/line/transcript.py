"""One leg's words: the transcriber's stream on the call's time line, and what of it is still missing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from callcenter.speech.client import TranscriberStream
from callcenter.speech.events import Away, Back, Event, Final, Partial

FINAL_TIMEOUT_S = 1.4
"""The last words of a turn are waited for this long: our side may not be silent over 3 s (R3)."""
END_TIMEOUT_S = 0.8
"""The last words of a call: the completed ticket is due a second after hang-up; later ones are decoded afterwards."""


class Transcript:
    """Follows one stream. `run` it as a task; the callbacks are called in the loop.

    `on_final` gets each utterance, `on_partial` the text so far and where it began, `on_gap` where final text stops
    for now because the transcriber is away.
    """

    def __init__(
        self,
        stream: TranscriberStream,
        *,
        on_final: Callable[[Final], None],
        on_partial: Callable[[Partial], None],
        on_gap: Callable[[Away], None],
    ) -> None:
        self.pending = False
        """Words have begun to come that are not final yet."""
        self.gaps: list[tuple[int, int | None]] = []
        """Stretches (from, until) in ms without final text; until None: to the end of the call."""
        self.was_away = False
        self._stream = stream
        self._on_final, self._on_partial, self._on_gap = on_final, on_partial, on_gap
        self._last: Final | None = None
        self._came = asyncio.Event()

    async def run(self) -> None:
        """Pass events on until the stream is closed."""
        async for event in self._stream:
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Final():
                self.pending = False
                self._last = event
                self._came.set()
                self._on_final(event)
            case Partial():
                self.pending = bool(event.text)
                if event.text:
                    self._on_partial(event)
            case Away():
                self.pending = False
                self.was_away = True
                self._on_gap(event)
            case Back(from_ms=from_ms, resumes_ms=resumes_ms) if resumes_ms > from_ms:
                self.gaps.append((from_ms, resumes_ms))
            case _:
                pass

    def feed(self, frame: bytes) -> None:
        """The leg's next 20 ms; never waits."""
        self._stream.feed(frame)

    @property
    def done_ms(self) -> int:
        """Up to here everything has final text."""
        return self._stream.done_ms

    async def flush(self) -> None:
        """Have everything up to now as final text (and passed on); gives up after FINAL_TIMEOUT_S."""
        await self._passed_on(await self._stream.flush(FINAL_TIMEOUT_S))

    async def finish(self) -> None:
        """The leg's audio is over: wait for the last words, note what is missing. May be called twice."""
        final = await self._stream.flush(END_TIMEOUT_S)
        await self._passed_on(final)
        if final is None and self._stream.position_ms > self.done_ms:
            self.gaps.append((self.done_ms, None))
        await self._stream.close(0)

    async def _passed_on(self, final: Final | None) -> None:
        if final is None or not final.text:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINAL_TIMEOUT_S):
                while self._last is not final:
                    self._came.clear()
                    await self._came.wait()
