"""A call's side of transcription: feed audio without ever waiting, get text as events. Light to import.

Works with any vosk-server; with ours it also gets a final result on demand (`flush`) and messages only when there is
news. A server that goes away is told as `Away`, connected to again, and given again what it had not finished.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from callcenter.errors import SpeechError
from callcenter.log import get_logger
from callcenter.speech.events import Away, Back, Behind, Event, Final, Partial, final_from, without_spaces

SEND_EVERY_MS = 100
"""Frames are gathered so far before they are sent: fewer messages, the same words."""
KEEP_MS = 30_000
"""Audio kept for sending again when the server goes away; beyond it the rest is decoded from the recording."""
CONNECT_TIMEOUT_S = 3.0
RETRY_FIRST_S = 0.2
RETRY_MOST_S = 3.0
KNOWN_WITHIN_S = 0.5
"""Ours greets at once and a foreign server answers the first audio: by then it is known which it is."""
FLUSH_BY_SILENCE_MS = 1600
"""A foreign server knows no flush: so much silence ends its utterance."""

_LOG = get_logger("speech.client")


class _Timeline:
    """Bytes of the present connection's stream to ms of the call, with silence put in by us taken out again."""

    def __init__(self, starts_ms: int, bytes_per_ms: int) -> None:
        self.starts_ms = starts_ms
        self._bytes_per_ms = bytes_per_ms
        self._injected: list[tuple[int, int]] = []

    def inject(self, sent_bytes: int, silence_ms: int) -> None:
        at_ms = sent_bytes // self._bytes_per_ms + sum(length for _, length in self._injected)
        self._injected.append((at_ms, silence_ms))

    def call_ms(self, server_ms: int) -> int:
        ours = server_ms
        for at_ms, length in self._injected:
            if server_ms > at_ms:
                ours -= min(length, server_ms - at_ms)
        return self.starts_ms + ours


class TranscriberStream:
    """One leg of one call. `feed` and all else from the event loop's thread; iterate over it for events."""

    def __init__(self, url: str, *, sample_rate_hz: int, phrases: Sequence[str]) -> None:
        self._url = url
        self._rate = sample_rate_hz
        self._bytes_per_ms = sample_rate_hz * 2 // 1000
        config: dict[str, Any] = {"sample_rate": sample_rate_hz, "words": True, "replies": "news"}
        if phrases:
            config["phrase_list"] = list(phrases)
        self._config = json.dumps({"config": config}, ensure_ascii=False)
        self._kept: deque[bytes] = deque()
        self._kept_from = 0
        self._fed = 0
        self._sent = 0
        self._gather = bytearray()
        self._done_ms = 0
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self._more = asyncio.Event()
        self._flushes: deque[tuple[int, asyncio.Future[Final | None]]] = deque()
        self._awaiting: deque[asyncio.Future[Final | None]] = deque()
        self._partial: Partial | None = None
        self._timeline = _Timeline(0, self._bytes_per_ms)
        self._away: Away | None = None
        self._ours = False
        self._known = asyncio.Event()
        self._closing = False
        self._finished = False
        self._task = asyncio.create_task(self._run(), name="transcriber-stream")

    @property
    def position_ms(self) -> int:
        """How much was fed."""
        return self._fed // self._bytes_per_ms

    @property
    def done_ms(self) -> int:
        """Up to here there is final text (or nothing was said): decode a recording from here on after a loss."""
        return self._done_ms

    @property
    def is_away(self) -> bool:
        return self._away is not None

    def feed(self, pcm: bytes) -> None:
        """Take 16-bit mono samples of any length; never waits, keeps at most `KEEP_MS` that is not done."""
        if self._closing:
            return
        self._gather += pcm
        self._fed += len(pcm)
        if len(self._gather) >= SEND_EVERY_MS * self._bytes_per_ms:
            self._keep_gathered()

    def _keep_gathered(self) -> None:
        if not self._gather:
            return
        self._kept.append(bytes(self._gather))
        self._gather.clear()
        while self._fed - self._kept_from > KEEP_MS * self._bytes_per_ms and len(self._kept) > 1:
            self._forget_one()
        self._more.set()

    def _forget_one(self) -> None:
        self._kept_from += len(self._kept.popleft())
        self._sent = max(self._sent, self._kept_from)

    async def flush(self, timeout_s: float = 1.0) -> Final | None:
        """The final text of everything fed so far; None when the transcriber did not answer in time."""
        if self._closing or self._away is not None:
            return None
        self._keep_gathered()
        done: asyncio.Future[Final | None] = asyncio.get_running_loop().create_future()
        self._flushes.append((self._fed, done))
        self._more.set()
        try:
            async with asyncio.timeout(timeout_s):
                return await done
        except TimeoutError:
            return None

    async def close(self, timeout_s: float = 5.0) -> None:
        """End the stream: the last event is delivered, then iteration ends. May be called twice."""
        self._keep_gathered()
        self._closing = True
        self._more.set()
        if not self._task.done():
            await asyncio.wait({self._task}, timeout=0 if self._away else timeout_s)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._end()

    def _end(self) -> None:
        self._finished = True
        for _, waiting in self._flushes:
            if not waiting.done():
                waiting.set_result(None)
        self._flushes.clear()
        self._give_up_awaiting()
        self._news.set()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[Event]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self._finished:
                return
            self._news.clear()
            await self._news.wait()

    def _tell(self, event: Event) -> None:
        if self._events and isinstance(event, Partial) and isinstance(self._events[-1], Partial):
            self._events.pop()
        self._events.append(event)
        self._news.set()

    async def _run(self) -> None:
        wait_s = RETRY_FIRST_S
        while True:
            try:
                async with connect(
                    self._url, compression=None, max_queue=None, proxy=None, open_timeout=CONNECT_TIMEOUT_S,
                    close_timeout=1, ping_interval=20, ping_timeout=20,
                ) as server:  # fmt: skip
                    if await self._converse(server):
                        self._end()
                        return
                    wait_s = RETRY_FIRST_S
                reason = "the transcriber closed the stream"
            except (OSError, TimeoutError, WebSocketException, SpeechError) as error:
                reason = error.message if isinstance(error, SpeechError) else type(error).__name__
            self._lost(reason)
            if self._closing:
                self._end()
                return
            await asyncio.sleep(wait_s)
            wait_s = min(RETRY_MOST_S, wait_s * 2)

    def _lost(self, reason: str) -> None:
        self._give_up_awaiting()
        if self._away is None:
            self._away = Away(self._done_ms, reason)
            self._tell(self._away)
            _LOG.warning("transcriber_away", reason=reason)

    def _give_up_awaiting(self) -> None:
        while self._awaiting:
            waiting = self._awaiting.popleft()
            if not waiting.done():
                waiting.set_result(None)

    async def _converse(self, server: ClientConnection) -> bool:
        """Send and receive until the end (True) or the loss of the connection (False or an error)."""
        self._ours, self._partial = False, None
        self._known.clear()
        await server.send(self._config)
        sending = asyncio.create_task(self._send(server))
        try:
            async for message in server:
                if isinstance(message, str):
                    self._take(json.loads(message))
        except ValueError as error:
            raise SpeechError("client.not_vosk", "the transcriber's messages are not vosk-server's") from error
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketException):
                await sending
        return self._closing and self._sent >= self._fed and sending.done() and not sending.cancelled()

    def _begin(self) -> None:
        """A connection works: it starts with what the last one had not finished."""
        starts_ms = self._kept_from // self._bytes_per_ms
        self._sent = self._kept_from
        self._timeline = _Timeline(starts_ms, self._bytes_per_ms)

    def _works(self) -> None:
        """The first good message of a connection."""
        if self._away is not None:
            self._tell(Back(self._away.from_ms, self._timeline.starts_ms))
            _LOG.info("transcriber_back", missing_ms=self._timeline.starts_ms - self._away.from_ms)
            self._away = None

    async def _send(self, server: ClientConnection) -> None:
        self._begin()
        begun = self._sent
        while True:
            at = self._kept_from
            for piece in list(self._kept):
                at += len(piece)
                if at > self._sent:
                    await server.send(piece)
                    self._sent = max(self._sent, at)
            while self._flushes and self._flushes[0][0] <= self._sent:
                await self._send_flush(server, begun)
            if self._closing and self._sent >= self._fed:
                await server.send('{"eof" : 1}')
                return
            self._more.clear()
            if self._sent >= self._fed - len(self._gather) and not self._flushes and not self._closing:
                await self._more.wait()

    async def _send_flush(self, server: ClientConnection, begun: int) -> None:
        _, waiting = self._flushes.popleft()
        self._awaiting.append(waiting)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KNOWN_WITHIN_S):
                await self._known.wait()
        if self._ours:
            await server.send('{"flush" : 1}')
            return
        silence = bytes(SEND_EVERY_MS * self._bytes_per_ms)
        self._timeline.inject(self._sent - begun, FLUSH_BY_SILENCE_MS)
        for _ in range(FLUSH_BY_SILENCE_MS // SEND_EVERY_MS):
            await server.send(silence)

    def _take(self, message: Any) -> None:
        if not isinstance(message, dict):
            return
        if "server" in message:
            self._ours = bool(message.get("flush"))
            self._known.set()
            self._works()
        elif "error" in message:
            raise SpeechError("client.refused", str(message["error"]), retryable=True)
        else:
            self._known.set()
            self._works()
        if "behind_ms" in message:
            self._tell(Behind(int(message["behind_ms"])))
        elif "text" in message or "alternatives" in message:
            self._take_final(message)
        elif "partial" in message:
            self._take_partial(without_spaces(str(message["partial"])))

    def _take_partial(self, text: str) -> None:
        if text == (self._partial.text if self._partial else ""):
            return
        start_ms = max(self._done_ms, self._sent // self._bytes_per_ms - 400)
        if self._partial and self._partial.text and text:
            start_ms = self._partial.start_ms
        self._partial = Partial(text, start_ms)
        self._tell(self._partial)

    def _take_final(self, message: dict[str, Any]) -> None:
        raw = final_from(message, 0, 0)
        until_ms = self._sent // self._bytes_per_ms
        if "until_ms" in message:
            until_ms = self._timeline.call_ms(int(message["until_ms"]))
        if raw.words:
            words = tuple(
                type(w)(w.word, self._timeline.call_ms(w.start_ms), self._timeline.call_ms(w.end_ms), w.confidence)
                for w in raw.words
            )
            final = Final(raw.text, words[0].start_ms, words[-1].end_ms, words, raw.flushed)
        else:
            start_ms = self._partial.start_ms if self._partial else until_ms
            final = Final(raw.text, start_ms, until_ms, (), raw.flushed)
        if not self._ours and self._awaiting:
            final = self._foreign_flush(final, until_ms)
        self._partial = None
        self._done_ms = max(self._done_ms, until_ms if self._ours else final.end_ms)
        while len(self._kept) > 1 and self._kept_from + len(self._kept[0]) <= min(
            self._sent, self._done_ms * self._bytes_per_ms
        ):
            self._forget_one()
        if final.text:
            self._tell(final)
        if (final.flushed or not self._ours) and self._awaiting:
            waiting = self._awaiting.popleft()
            if not waiting.done():
                waiting.set_result(final)

    def _foreign_flush(self, final: Final, until_ms: int) -> Final:
        return Final(final.text, final.start_ms, min(final.end_ms, until_ms), final.words, flushed=True)


class TranscriberClient:
    """Opens streams at one transcriber (`ws://host:port`)."""

    def __init__(self, url: str) -> None:
        self.url = url

    def open(self, *, sample_rate_hz: int = 8000, phrases: Sequence[str] = ()) -> TranscriberStream:
        """A new stream; it connects by itself, and keeps what is fed until it has. Needs a running loop."""
        return TranscriberStream(self.url, sample_rate_hz=sample_rate_hz, phrases=phrases)
