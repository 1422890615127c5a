"""The transcriber: vosk-server's WebSocket protocol over a shared, fair decoding pool.

Audio goes from the socket to the stream inside the protocol's own callback: no task, no queue per message. A stream
that is behind by `BEHIND_MS` is told so and not read until it has caught up. A stream of small messages at the pace of
speech is read a few times per gathered chunk, not once per message: nothing can be decoded before its chunk is whole.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Event, State

from callcenter.errors import SpeechError
from callcenter.log import get_logger
from callcenter.speech.decoding import GATHER_MS, DecodingPool, DecodingStream, Outcome, Part
from callcenter.speech.protocol import (
    MAX_MESSAGE_BYTES,
    Command,
    Replies,
    StreamConfig,
    read_config,
    read_message,
    refuse,
)

BEHIND_MS = 4000
"""Undecoded audio at which a stream is told and not read any further."""
CAUGHT_UP_MS = 1000
REST_S = (GATHER_MS - 40) / 1000
"""A live stream of small messages is not read for so long after a chunk: what comes meanwhile is read at once."""
SMALL_MESSAGES = 5
"""Messages to a chunk from which on a stream's messages are small."""
START_TIMEOUT_S = 30.0
"""A connection that sends nothing for so long is closed."""
ACCEPTS_PER_TURN = 1
"""New connections taken per turn of the event loop: live streams go between them."""
BACKLOG = 512
MAX_OUTGOING = 256

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_LOG = get_logger("speech.transcriber")


class StreamConnection(ServerConnection):
    """One client. Frames are handled as they are parsed; `serve_stream` sends what came of them."""

    transcriber: Transcriber

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stream: DecodingStream | None = None
        self._config: StreamConfig | None = None
        self._outgoing: deque[tuple[str, bool]] = deque()
        self._wake = asyncio.Event()
        self._fragments: list[Frame] = []
        self._undecoded = 0
        self._held = False
        self._chunk_at: float | None = None
        self._chunk_messages = 0
        self._rest: asyncio.TimerHandle | None = None
        self._ended = False
        self._error: SpeechError | None = None
        self._started = False

    def process_event(self, event: Event) -> None:
        """Take audio and commands at once; leave the handshake, pings and closing to the library."""
        if isinstance(event, Request) or not isinstance(event, Frame) or event.opcode not in _DATA:
            super().process_event(event)
            return
        if self._ended or self._error is not None:
            return
        if self._fragments or not event.fin:
            self._fragments.append(event)
            if not event.fin:
                return
            opcode, message = self._fragments[0].opcode, b"".join(bytes(f.data) for f in self._fragments)
            self._fragments = []
        else:
            opcode, message = event.opcode, bytes(event.data)
        try:
            if not self._started:
                self._started = True
                self.transcriber.admit(self)
            if opcode is Opcode.BINARY:
                self._audio(message)
            else:
                self._command(message)
        except SpeechError as error:
            self._fail(error)

    def _opened(self) -> DecodingStream:
        if self._stream is None:
            if self._config is None:
                self._config = StreamConfig(sample_rate_hz=self.transcriber.pool.model.sample_rate_hz)
            loop = asyncio.get_running_loop()
            self._stream = self.transcriber.pool.open(
                self._config, lambda outcome: self.transcriber.from_thread(loop, self, outcome)
            )
        return self._stream

    def _audio(self, pcm: bytes) -> None:
        stream = self._stream or self._opened()
        self._undecoded += len(pcm)
        completed = stream.feed(pcm)
        self._chunk_messages += 1
        if completed:
            self._rest_if_live(stream.config.replies)
        elif stream.config.replies is Replies.EACH:
            self._send(stream.last_partial, keep=True)
        if (
            self._undecoded >= stream.config.sample_rate_hz * 2 * BEHIND_MS // 1000
            or len(self._outgoing) > MAX_OUTGOING
        ):
            self._hold()

    def _command(self, message: bytes) -> None:
        try:
            text = message.decode()
        except UnicodeDecodeError:
            raise refuse("not_json", "a text message that is not UTF-8") from None
        command, config = read_message(text)
        if command is Command.CONFIG:
            self._configure(config)
        elif command is Command.FLUSH:
            self._opened().flush()
        else:
            self._ended = True
            self._opened().finish()

    def _configure(self, config: dict[str, Any]) -> None:
        wanted = read_config(config, self.transcriber.pool.model.sample_rate_hz)
        if self._stream is not None and wanted != self._config:
            raise refuse("config", "`config` comes before the first audio")
        self._config = wanted
        if wanted.replies is Replies.NEWS:
            self._send(json.dumps({"server": "callcenter", "flush": True}), keep=True)

    def _rest_if_live(self, replies: Replies) -> None:
        """A chunk is whole: wait for most of the next, where the last took as long to come as it lasts."""
        now = asyncio.get_running_loop().time()
        live = self._chunk_at is not None and now - self._chunk_at >= REST_S
        small = self._chunk_messages >= SMALL_MESSAGES and replies is Replies.NEWS
        self._chunk_at, self._chunk_messages = now, 0
        if not live:
            self._read_on()
        elif small and self._rest is None and not self._held:
            self._rest = asyncio.get_running_loop().call_later(REST_S, self._read_on)
            self.transport.pause_reading()

    def _read_on(self) -> None:
        """End a rest, if there is one."""
        if self._rest is None:
            return
        self._rest.cancel()
        self._rest = None
        if not self._held and self.protocol.state is State.OPEN:
            self.transport.resume_reading()

    def _hold(self) -> None:
        if self._held:
            return
        self._held = True
        if self._config is not None and self._config.replies is Replies.NEWS:
            behind_ms = self._undecoded * 1000 // (2 * self._config.sample_rate_hz)
            self._send(json.dumps({"behind_ms": behind_ms}), keep=True)
        self.transport.pause_reading()

    def _release(self) -> None:
        self._held = False
        if self._config is not None and self._config.replies is Replies.NEWS:
            self._send(json.dumps({"behind_ms": 0}), keep=True)
        if self.protocol.state is State.OPEN:
            self.transport.resume_reading()

    def _fail(self, error: SpeechError) -> None:
        self._error = self._error or error
        if self._stream is not None:
            self._stream.abandon()
        self._wake.set()

    def _send(self, text: str, *, keep: bool) -> None:
        """Queue a message; a partial nobody read yet gives way to a newer one unless replies are counted."""
        if not keep and self._outgoing and not self._outgoing[-1][1]:
            self._outgoing.pop()
        self._outgoing.append((text, keep))
        self._wake.set()

    def take(self, outcome: Outcome) -> None:
        """What a decoding thread found out (called in the event loop)."""
        self._undecoded -= outcome.decoded
        if outcome.error is not None:
            self._fail(outcome.error)
            return
        if outcome.reply is not None:
            counted = self._config is not None and self._config.replies is Replies.EACH
            self._send(outcome.reply, keep=outcome.final or counted)
        if outcome.part is Part.EOF:
            self._outgoing.append(("", True))
            self._wake.set()
        rate = self._config.sample_rate_hz if self._config else 8000
        if (
            self._held
            and self._undecoded <= rate * 2 * CAUGHT_UP_MS // 1000
            and len(self._outgoing) < MAX_OUTGOING // 2
        ):
            self._release()

    async def serve_stream(self) -> None:
        """Send until the stream's end, an error, or the client's leaving."""
        closed = asyncio.ensure_future(self.wait_closed())
        closed.add_done_callback(lambda _: self._wake.set())
        start = asyncio.get_running_loop().call_later(START_TIMEOUT_S, self._too_quiet)
        try:
            while not closed.done():
                while self._outgoing:
                    text, _ = self._outgoing.popleft()
                    if not text:
                        await self.close(CloseCode.NORMAL_CLOSURE)
                        return
                    await self.send(text)
                if self._error is not None:
                    await self._refuse(self._error)
                    return
                self._wake.clear()
                if not self._outgoing:
                    await self._wake.wait()
        except ConnectionClosed:
            return
        finally:
            start.cancel()
            closed.cancel()
            self._read_on()
            if self._stream is not None:
                self._stream.abandon()

    def _too_quiet(self) -> None:
        if not self._started:
            self._fail(refuse("idle", f"nothing came for {START_TIMEOUT_S:.0f} s"))

    async def _refuse(self, error: SpeechError) -> None:
        message = error.message + (f"; {error.mend}" if error.mend else "")
        await self.send(json.dumps({"error": message, "code": error.code}, ensure_ascii=False))
        if error.code in {"transcribe.full", "transcribe.draining"}:
            code = CloseCode.TRY_AGAIN_LATER
        elif error.retryable:
            code = CloseCode.INTERNAL_ERROR
        else:
            code = CloseCode.POLICY_VIOLATION
        if self._held or self._rest is not None:
            self.transport.resume_reading()  # or the client's closing frame would never be read
        await self.close(code, message.encode()[:120].decode(errors="ignore"))


class Transcriber:
    """The listening server of one node."""

    def __init__(self, pool: DecodingPool, *, max_streams: int) -> None:
        self.pool = pool
        self.max_streams = max_streams
        self._streams: set[StreamConnection] = set()
        self._server: Server | None = None
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def streams(self) -> int:
        """Streams at present."""
        return len(self._streams)

    def admit(self, connection: StreamConnection) -> None:
        """Count a stream from its first message on; raises SpeechError when there are too many."""
        if self._draining:
            raise SpeechError("transcribe.draining", "the transcriber is shutting down", retryable=True)
        if len(self._streams) >= self.max_streams:
            raise SpeechError(
                "transcribe.full",
                f"{self.max_streams} streams are being transcribed already",
                retryable=True,
                mend="raise speech.max_streams or add a node",
            )
        self._streams.add(connection)
        self._idle.clear()

    @staticmethod
    def from_thread(loop: asyncio.AbstractEventLoop, connection: StreamConnection, outcome: Outcome) -> None:
        """Hand an outcome from a decoding thread to its connection."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(connection.take, outcome)

    async def _serve_one(self, connection: ServerConnection) -> None:
        assert isinstance(connection, StreamConnection)
        try:
            await connection.serve_stream()
        finally:
            self._streams.discard(connection)
            if not self._streams:
                self._idle.set()

    async def listen(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises SpeechError when it is taken."""
        connection_class = type("Connection", (StreamConnection,), {"transcriber": self})
        try:
            self._server = await serve(
                self._serve_one,
                host,
                port,
                create_connection=connection_class,
                compression=None,
                max_size=MAX_MESSAGE_BYTES,
                max_queue=None,
                ping_interval=20,
                ping_timeout=60,
                backlog=ACCEPTS_PER_TURN,
                server_header=None,
            )
        except OSError as error:
            raise SpeechError(
                "transcribe.port",
                f"port {port} is taken or not ours",
                where=f"speech.port = {port}",
                mend="choose another port, or 0 for any free one",
            ) from error
        # asyncio accepts `backlog` connections per turn; the kernel may hold more of them back for us.
        with next(iter(self._server.sockets)).dup() as listening:
            listening.listen(BACKLOG)
            bound = int(listening.getsockname()[1])
        _LOG.info("listening", port=bound, model=self.pool.model.folder.name)
        return bound

    async def drain(self, timeout_s: float | None = None) -> None:
        """Take no new streams and wait for those in progress."""
        self._draining = True
        try:
            async with asyncio.timeout(timeout_s):
                await self._idle.wait()
        except TimeoutError:
            _LOG.warning("drain_cut_short", streams=len(self._streams))

    async def close(self) -> None:
        """Close the port and every stream (code 1012, service restart). May be called twice."""
        self._draining = True
        if self._server is not None:
            self._server.close(code=CloseCode.SERVICE_RESTART, reason="the transcriber is shutting down")
            await self._server.wait_closed()
            self._server = None
