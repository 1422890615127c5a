"""Bounded decoding threads, shared fairly: every turn of a thread decodes one gathered chunk of one stream.

Twenty-millisecond messages are gathered to `GATHER_MS` before they are decoded: chunk boundaries follow the messages
alone, never the load, so the same messages always give the same words. Recognizers are made by a thread of their own,
at low priority, so that newcomers do not make a live stream wait.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from callcenter.errors import SpeechError
from callcenter.log import get_logger
from callcenter.speech.protocol import Replies, StreamConfig
from callcenter.speech.recognition import Recognizer, SpeechModel

GATHER_MS = 200
NO_TEXT = '{\n  "partial" : ""\n}'
_MAKER_NICENESS = 10
_LOG = get_logger("speech.decoding")


class Part(Enum):
    """What a unit of work asks."""

    AUDIO = auto()
    FLUSH = auto()
    EOF = auto()


@dataclass(frozen=True)
class Work:
    part: Part
    pcm: bytes


@dataclass(frozen=True)
class Outcome:
    """What came of one unit of work, told to the stream's owner from a decoding thread.

    `reply` is JSON for the client or None when there is no news; `decoded` the bytes of audio it used up.
    """

    part: Part
    reply: str | None
    final: bool
    decoded: int
    error: SpeechError | None = None


class DecodingStream:
    """One stream. Its owner calls `feed`, `flush`, `finish` and `abandon` from one thread."""

    def __init__(self, pool: DecodingPool, config: StreamConfig, deliver: Callable[[Outcome], None]) -> None:
        self.config = config
        self._pool = pool
        self._deliver = deliver
        self._gathered = bytearray()
        self._gather_bytes = config.sample_rate_hz * GATHER_MS // 1000 * 2
        self._work: deque[Work] = deque()
        self._recognizer: Recognizer | None = None
        self._partial = NO_TEXT
        self._decoded = 0
        self.scheduled = False
        self.abandoned = False

    def feed(self, pcm: bytes) -> bool:
        """Take samples; True when they completed a chunk, whose outcome will be delivered."""
        self._gathered += pcm
        if len(self._gathered) < self._gather_bytes:
            return False
        self._submit(Part.AUDIO)
        return True

    def flush(self) -> None:
        """Ask for a final result of everything fed so far."""
        self._submit(Part.FLUSH)

    def finish(self) -> None:
        """Ask for the last result; nothing may be fed afterwards."""
        self._submit(Part.EOF)

    def abandon(self) -> None:
        """Forget the stream: undecoded audio is dropped."""
        self.abandoned = True
        self._gathered.clear()
        self._work.clear()

    def _submit(self, part: Part) -> None:
        even = len(self._gathered) & ~1
        pcm = bytes(memoryview(self._gathered)[:even])
        del self._gathered[:even]
        self._work.append(Work(part, pcm))
        self._pool.schedule(self)

    @property
    def has_work(self) -> bool:
        return bool(self._work)

    @property
    def is_made(self) -> bool:
        return self._recognizer is not None

    def make(self, model: SpeechModel) -> None:
        """Create the recognizer (the pool's maker thread)."""
        try:
            self._recognizer = model.recognizer(self.config)
        except SpeechError as error:
            self._fail(error)

    def _fail(self, error: SpeechError) -> None:
        self.abandon()
        self._deliver(Outcome(Part.EOF, None, False, 0, error))

    def turn(self) -> None:
        """Do one unit of work (a decoding thread)."""
        try:
            work = self._work.popleft()
        except IndexError:
            return  # abandoned meanwhile
        recognizer = self._recognizer
        assert recognizer is not None
        try:
            reply, final = self._decode(recognizer, work)
        except Exception:  # noqa: BLE001 — libvosk raises bare Exception; the edge of a thread's loop
            _LOG.warning("decoding_failed", exc_info=True)
            self._fail(SpeechError("transcribe.failed", "decoding failed; open a new stream", retryable=True))
            return
        if not self.abandoned:
            self._deliver(Outcome(work.part, reply, final, len(work.pcm)))

    def _decode(self, recognizer: Recognizer, work: Work) -> tuple[str | None, bool]:
        self._decoded += len(work.pcm)
        if work.part is Part.AUDIO:
            if recognizer.accept(work.pcm):
                self._partial = NO_TEXT
                return self._final(recognizer.result()), True
            if self._work:  # behind: what is heard so far would be stale at once
                return (self._partial if self.config.replies is Replies.EACH else None), False
            partial = recognizer.partial()
            news = partial != self._partial
            self._partial = partial
            return (partial if news or self.config.replies is Replies.EACH else None), False
        self._partial = NO_TEXT
        reply = recognizer.final(work.pcm, last=work.part is Part.EOF)
        return self._final(reply, flushed=work.part is Part.FLUSH), True

    def _final(self, result: str, *, flushed: bool = False) -> str:
        """The result as libvosk wrote it; for a client of ours with how far the stream is decoded."""
        if self.config.replies is Replies.EACH and not flushed:
            return result
        until_ms = self._decoded * 1000 // (2 * self.config.sample_rate_hz)
        return json.dumps({**json.loads(result), "until_ms": until_ms, "flushed": flushed}, ensure_ascii=False)

    @property
    def last_partial(self) -> str:
        """JSON of the newest partial text."""
        return self._partial


class DecodingPool:
    """The node's decoding threads over one model."""

    def __init__(self, model: SpeechModel, threads: int) -> None:
        self.model = model
        lock = threading.Lock()
        self._decodable = threading.Condition(lock)
        self._makable = threading.Condition(lock)
        self._ready: deque[DecodingStream] = deque()
        self._to_make: deque[DecodingStream] = deque()
        self._working_since: dict[int, float] = {}
        self._closing = False
        self._threads = [
            threading.Thread(target=self._decode_for_ever, name=f"decode-{n}", daemon=True) for n in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._make_for_ever, name="recognizers", daemon=True))
        for thread in self._threads:
            thread.start()

    def open(self, config: StreamConfig, deliver: Callable[[Outcome], None]) -> DecodingStream:
        """A new stream; `deliver` is called from decoding threads. Its recognizer is made at its first work."""
        return DecodingStream(self, config, deliver)

    def schedule(self, stream: DecodingStream) -> None:
        """Put a stream that has work at the end of its queue, once."""
        with self._decodable:
            if stream.scheduled:
                return
            stream.scheduled = True
            if stream.is_made:
                self._ready.append(stream)
                self._decodable.notify()
            else:
                self._to_make.append(stream)
                self._makable.notify()

    def _decode_for_ever(self) -> None:
        while True:
            with self._decodable:
                while not self._ready:
                    if self._closing:
                        return
                    self._decodable.wait()
                stream = self._ready.popleft()
            with self._at_work():
                stream.turn()
            with self._decodable:
                stream.scheduled = stream.has_work and not stream.abandoned
                if stream.scheduled:
                    self._ready.append(stream)
            del stream

    def _make_for_ever(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _MAKER_NICENESS)
        while True:
            with self._makable:
                while not self._to_make:
                    if self._closing:
                        return
                    self._makable.wait()
                stream = self._to_make.popleft()
            if not stream.abandoned:
                with self._at_work():
                    stream.make(self.model)
            with self._decodable:
                stream.scheduled = not stream.abandoned
                if stream.scheduled:
                    self._ready.append(stream)
                    self._decodable.notify()
            del stream

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        """What this thread does inside is timed by `stuck_for_s`."""
        me = threading.get_ident()
        self._working_since[me] = time.monotonic()
        try:
            yield
        finally:
            del self._working_since[me]

    def stuck_for_s(self) -> float:
        """How long the slowest unit of work has been going on: a chunk's decoding, or a recognizer's making."""
        since = min(self._working_since.copy().values(), default=None)
        return 0.0 if since is None else time.monotonic() - since

    def close(self) -> None:
        """End the threads after their present turn. May be called twice."""
        with self._decodable:
            self._closing = True
            self._ready.clear()
            self._to_make.clear()
            self._decodable.notify_all()
            self._makable.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)
